"""What is asked often becomes what is declared: statistics, recommendations, edits of ac.yaml."""
