"""Plans: sprints that an agent proposed and a person decides about, as a whole."""
