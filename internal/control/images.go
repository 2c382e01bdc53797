package control

// ImageRules is what the operator demands of images.
type ImageRules interface {
	// Judge returns the public keys (PEM) of which one must have signed the image that
	// reference names in full; none means no signature is needed. Faults: Forbidden, in
	// words for the user, for an image that may not be used at all.
	Judge(reference string) (keys []string, err error)
}

// JudgeImage asks the operator's rules about an image that comes from a registry.
func (c *Control) JudgeImage(reference string) ([]string, error) {
	if c.imageRules == nil {
		return nil, nil
	}
	return c.imageRules.Judge(reference)
}
