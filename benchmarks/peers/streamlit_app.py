"""The form in Streamlit; ``LIVE`` in the environment: without a button."""

import os
from contextlib import nullcontext

import streamlit as st
from model import FEATURES, predict

st.set_page_config("Iris Wizard", layout="wide")
left, right = st.columns(2)
live = bool(os.environ.get("LIVE"))
with left, nullcontext() if live else st.form("form"):
    values = [st.number_input(label, 0.0, 30.0, value, 0.1) for label, value in FEATURES.items()]
    asked = live or st.form_submit_button("Abrakadabra")
with right, st.container(key="answer"):
    if asked:
        probabilities = predict(values)
        st.subheader(next(iter(probabilities)))
        st.table({"species": list(probabilities), "probability": list(probabilities.values())})
