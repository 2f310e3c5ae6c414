"""What a quote costs while ``validate`` streams by."""
