"""Files of key points, as pose estimators write them: bodies as rows at a steady rate."""
