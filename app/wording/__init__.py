"""How the pages speak and what they paint with. No Streamlit."""
