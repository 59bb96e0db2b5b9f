"""What of the tables is shown, in which order and with which marks. No Streamlit."""
