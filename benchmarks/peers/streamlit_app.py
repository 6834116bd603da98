"""The form in Streamlit."""

from contextlib import nullcontext

import streamlit as st
from model import CHOICES, FIELDS, LIVE, predict

st.set_page_config("The form", layout="wide")
left, right = st.columns(2)
with left, nullcontext() if LIVE else st.form("form"):
    values = [
        st.selectbox(name, CHOICES) if value is None else st.number_input(name, value=value, step=0.1)
        for name, value in FIELDS
    ]
    asked = LIVE or st.form_submit_button("Abrakadabra")
with right, st.container(key="answer"):
    if asked:
        probabilities = predict(values)
        st.subheader(next(iter(probabilities)))
        st.table({"class": list(probabilities), "probability": list(probabilities.values())})
