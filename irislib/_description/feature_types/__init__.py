"""The kinds of features, a class each.

A kind of your own is one more class, here or in one of the modules below, and an entry in `FEATURE_TYPES`. Whatever
is done with the values of a kind, or said of them, is asked of its class. A control that the page does not have
(``widgets/frontend/fields.js``) is a text box.
"""

from irislib._description.feature_types.base import FeatureType
from irislib._description.feature_types.categorical import BooleanType, ChoiceType
from irislib._description.feature_types.numeric import IntegerType, NumberType, RangeType
from irislib._description.feature_types.temporal import DateType, TimeType
from irislib._description.feature_types.text import ColorType, EmailType, FileType, PasswordType, TextType

__all__ = ["FEATURE_TYPES", "FeatureType"]

FEATURE_TYPES: dict[str, FeatureType] = {
    feature_type.name: feature_type
    for feature_type in (
        NumberType(),
        IntegerType(),
        ChoiceType(),
        BooleanType(),
        DateType(),
        TimeType(),
        TextType(),
        EmailType(),
        PasswordType(),
        ColorType(),
        RangeType(),
        FileType(),
    )
}
