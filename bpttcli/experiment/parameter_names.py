"""The names of parameters, as PyTorch has them."""

import re

#: Those of a network of one layer, for a message.
PARAMETERS = (
    *("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"),
    *("readout.weight", "readout.bias"),
)

_PARAMETER = re.compile(r"(weight|bias)_(ih|hh)_l(0|[1-9][0-9]*)|readout\.(weight|bias)")


def is_parameter(name: str) -> bool:
    """Tell whether some network has a parameter of that name.

    Examples
    --------
    >>> is_parameter("weight_hh_l12"), is_parameter("weight_hh")
    (True, False)
    """
    return _PARAMETER.fullmatch(name) is not None
