"""The Excel files of what a page shows. No Streamlit."""
