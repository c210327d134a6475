"""The parts that every widget is made of."""
