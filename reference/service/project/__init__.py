"""What the service knows: projects with their keys, definitions, people and groups, as one file tells them."""
