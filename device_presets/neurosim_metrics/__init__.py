"""Makes a preset from the metrics that papers publish in NeuroSim's terms."""
