"""How values read, wherever they are shown: units, ages, prescriptions, energies, warnings, and texts made safe."""
