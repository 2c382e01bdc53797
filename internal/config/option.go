package config

// Type is the kind of value an option takes.
type Type uint8

// The kinds of values, in oslo.config's words.
const (
	String    Type = iota // any text
	Integer               // a whole number
	Float                 // a number
	Boolean               // true, 1, yes, on or false, 0, no, off, in any case
	List                  // comma separated texts
	Multi                 // a text; the option may be repeated, also over several files
	Address               // an IPv4 or IPv6 address
	Port                  // 0 to 65535
	URI                   // an address with a scheme
	Size                  // bytes, with an optional k, m or g (powers of 1,024)
	Seconds               // a whole number of seconds, 0 or more
	Map                   // comma separated key:value pairs
	HostPort              // host:port; the host may be empty where it is listened
	HostPorts             // comma separated host:port
	Prefixes              // comma separated networks in CIDR notation, or single addresses
)

// String returns the word that the reference and the errors use for t.
func (t Type) String() string {
	words := [...]string{"string", "integer", "number", "boolean", "list", "repeatable string", "IP address", "port",
		"URI", "size", "seconds", "map", "host:port", "list of host:port", "list of networks"}
	if int(t) < len(words) {
		return words[t]
	}
	return "unknown"
}

// Use says what this service does with an option.
type Use uint8

// The uses of an option.
const (
	Honoured Use = iota // it has the meaning that the original gives it
	Mapped              // it has an effect, but on another mechanism; Note says which
	Inert               // it is accepted and has no effect; Note says why
	Awaited             // it is checked, and read by nothing until there is what Note names
)

// String returns the word that the reference uses for u.
func (u Use) String() string {
	switch u {
	case Mapped:
		return "mapped"
	case Inert:
		return "no effect"
	case Awaited:
		return "not yet"
	default:
		return "honoured"
	}
}

// Option is one row of the table: what a name in a section means here.
type Option struct {
	Section string
	Name    string
	Type    Type
	// Default is written as in the file and may name other options by $name;
	// the empty text is "none".
	Default string
	// Shown replaces Default in printed tables where the default depends on the host.
	Shown   string
	Choices []string
	Min     *float64
	Max     *float64
	Help    string
	Use     Use
	Note    string // the reason of all but Honoured
	Ours    bool   // the original has no such option
	Secret  bool   // its value is never printed
}

// Key returns "section.name", the spelling used in interpolation and errors.
func (o Option) Key() string { return o.Section + "." + o.Name }

// Section is a group of options that another library of the original owns. Names
// that the table does not list are accepted there without effect.
type Section struct {
	Pattern string // a name, or a pattern of path.Match
	Note    string
}

// Options returns the whole table in the order in which it is printed.
func Options() []Option {
	tables := [][]Option{
		defaultOptions(), loggingOptions(), messagingOptions(), apiOptions(), databaseOptions(), identityOptions(),
		policyOptions(), engineOptions(), agentOptions(), imageOptions(), networkOptions(), schedulingOptions(), consoleOptions(),
		cloudOptions(), volumeOptions(), tracingOptions(),
	}
	var all []Option
	for _, table := range tables {
		all = append(all, table...)
	}
	return all
}

// in returns the rows with their section filled in.
func in(section string, rows ...Option) []Option {
	for i := range rows {
		rows[i].Section = section
	}
	return rows
}

// ours returns the rows marked as options that the original does not have.
func ours(rows []Option) []Option {
	for i := range rows {
		rows[i].Ours = true
	}
	return rows
}

// inert returns the rows marked as being without effect for one common reason;
// a row that has its own note keeps it.
func inert(note string, rows []Option) []Option {
	for i := range rows {
		rows[i].Use = Inert
		if rows[i].Note == "" {
			rows[i].Note = note
		}
	}
	return rows
}

// awaited returns the rows marked as being read by nothing before there is what.
func awaited(what string, rows []Option) []Option {
	for i := range rows {
		rows[i].Use, rows[i].Note = Awaited, what
	}
	return rows
}

// bound returns a limit of an option's range.
func bound(limit float64) *float64 { return &limit }
