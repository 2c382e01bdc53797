package control

import "strconv"

// newName makes a name for a container that was given none: a greek letter, a
// number from 1 to 24, and the word container.
func newName(d dice) string {
	letters := [...]string{
		"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu",
		"nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
	}
	return letters[d.below(len(letters))] + "-" + strconv.Itoa(1+d.below(24)) + "-container"
}
