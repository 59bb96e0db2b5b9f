"""The parts that pages are made of: each draws one thing and knows Streamlit; what it says comes from below."""
