"""Thing models of Chinese IoT clouds and platforms: property posts whose identifiers a school or maker chose."""
