package term

// Meter counts what happens at a door. It is called by many at once and never waits.
type Meter interface {
	// Refused counts a request that became no console, by the status of its answer.
	Refused(status int)
	// Opened and Closed count a console each; by is who or what ended it.
	Opened()
	Closed(by string)
}

// uncounted is the Meter of a door that nobody asks for figures.
type uncounted struct{}

// Refused implements Meter.
func (uncounted) Refused(int) {}

// Opened implements Meter.
func (uncounted) Opened() {}

// Closed implements Meter.
func (uncounted) Closed(string) {}
