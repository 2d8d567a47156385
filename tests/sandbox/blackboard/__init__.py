"""The Blackboard sandbox."""
