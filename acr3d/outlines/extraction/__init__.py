"""Find the part's outline in photos, from the backdrop's colour and a network's alpha; runs in a child."""
