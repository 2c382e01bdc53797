// Package policy judges what an actor may do, by oslo.policy's rule language and
// files. The defaults are one table, from which the sample file and
// docs/reference/policy.md are printed; files override single rules and are followed
// while the service runs.
//
// Everything fails closed: an unknown rule, an attribute that is missing on either
// side and a check that cannot be evaluated are all "no".
//
// The evaluator is our own: the ready-made one for Go has no cycle detection, no list
// form and no errors that name a place.
package policy
