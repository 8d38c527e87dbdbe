"""What should happen: the pathway's content and the pure rules that apply it to a patient."""
