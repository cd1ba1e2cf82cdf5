"""What a real control plane reaches: etcd 3.5.26 and kube-apiserver 1.32.13 on two cores, measured in turn with ours.

The machine was then as fast as `calibration` has it for its own reference.
"""

REFERENCE = {
    "creates_one_at_a_time": 172.0,
    "creates_eight_at_a_time": 375.0,
    "fan_out_to_1": 168.0,
    "fan_out_to_10": 1582.0,
    "fan_out_to_100": 9712.0,
    "fan_out_to_240": 17060.0,
    "fan_out_to_500": 19890.0,
    "deployment_of_three_bound": 87.6,
    "deployment_answered": 6.5,
}
TIMES = ("deployment_of_three_bound", "deployment_answered")
"""Milliseconds, of which fewer are better; all others are a second's."""
