"""From a dropped file to a plan, or to a report of what is wrong with it."""
