"""An account without anything in it: OSS, Bailian, RAM and ROS, which starts what it is told to."""
