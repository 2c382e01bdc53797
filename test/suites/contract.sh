# The recorded exchanges of the original service. They lie beside the clone or where ZUN_GOLDEN_DIR says.
gotest contract -count=1 -tags integration -run Recordings ./internal/rest
