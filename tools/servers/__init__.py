"""Real servers for tests, fetched once into `.lanes/`: nothing is installed into the system and no daemon is started."""
