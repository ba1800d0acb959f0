"""Helpers of the course "Deep learning with music". Import the module you need: `from course_utils import scores`."""
