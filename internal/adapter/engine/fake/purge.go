package fake

import "context"

// Purge removes every object and namespace, as an operator does who takes the
// deployment off this host.
func (e *Engine) Purge(context.Context) error {
	records, err := e.store.all()
	if err != nil {
		return err
	}
	for _, r := range records {
		if r.Role == roleSandbox {
			err = e.discard(r.Container)
		} else {
			err = e.store.remove(r.Role, r.Container)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
