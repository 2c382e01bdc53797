package term

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Desk redeems tickets and opens what they stand for: control itself, or the way
// to it from a door that runs elsewhere.
type Desk interface {
	// Redeem takes a ticket out, once; NotFound if it is unknown, expired, used, or
	// for another terminal than the claim names.
	Redeem(ctx context.Context, claim control.TicketClaim) (control.Visit, error)
	// Enter opens the byte path of a visit. ctx is the life of the stream.
	Enter(ctx context.Context, visit control.Visit) (control.Stream, error)
	// Keep says which consoles are still open, by the ids of their visits; control
	// counts them, and forgets those of a door that says nothing.
	Keep(ctx context.Context, consoles []string) error
	// Leave says that a console has ended.
	Leave(ctx context.Context, console string) error
}

// Options bound a door.
type Options struct {
	// BaseURL is where users reach the door, ws: or wss:, as the API tells it. Its
	// scheme and host say which browser pages may connect.
	BaseURL string
	// Paths are where the door answers besides the path of BaseURL.
	Paths []string
	// AllowedOrigins are further host names, or whole origins, of such pages.
	AllowedOrigins []string
	// TrustedProxies are the peers whose X-Forwarded-For and -Proto are believed.
	TrustedProxies []netip.Prefix
	// RequireTLS refuses a plain connection, unless a trusted proxy says that its own was not.
	RequireTLS bool
	// Idle ends a console on which no byte moved for so long, Longest any console; 0: never.
	Idle, Longest time.Duration
	// Ping is the time between two looks whether the user is still there, and
	// PingTimeout how long the answer may take.
	Ping, PingTimeout time.Duration
	// Stall is how long a user may take nothing of what waits for him.
	Stall time.Duration
	// Handshake bounds what happens before the upgrade: redeeming and opening.
	Handshake time.Duration
	// Counting is the time between two words to control on which consoles are open.
	Counting time.Duration
	// Redeeming bounds how many tickets are being redeemed at once, so that a storm
	// of guesses queues here and not in the database.
	Redeeming int
	// WrongPerMinute bounds how many refused tickets one address may show in a minute
	// until none of its is looked at for a while; 0: no bound.
	WrongPerMinute int
	// MaxMessage bounds one message of the user in bytes. It is not held in memory.
	MaxMessage int64
}

// DefaultOptions are the bounds of a door whose operator says nothing.
func DefaultOptions() Options {
	return Options{
		Idle: time.Hour, Longest: 24 * time.Hour, Counting: 20 * time.Second,
		Ping: 20 * time.Second, PingTimeout: 10 * time.Second, Stall: 10 * time.Minute,
		Handshake: 15 * time.Second, Redeeming: 32, WrongPerMinute: 60, MaxMessage: 1 << 20,
	}
}

// Deps are what a Door stands on.
type Deps struct {
	Desk    Desk
	Options Options
	Meter   Meter // may be nil
	Now     func() time.Time
	Log     *slog.Logger
}

// Door is an http.Handler of consoles. It is safe for concurrent use.
type Door struct {
	desk    Desk
	options Options
	paths   []string
	origins origins
	redeems chan struct{}
	knocks  *knocks
	audit   audit
	log     *slog.Logger

	mu       sync.Mutex
	stopping chan struct{} // closed when the door closes
	closed   bool
	open     sync.WaitGroup
	seated   map[string]struct{} // the ids of the consoles that control counts
}

// New makes a door. A BaseURL that is no ws: or wss: address is an error.
func New(d Deps) (*Door, error) {
	allowed, path, err := readBase(d.Options.BaseURL, d.Options.AllowedOrigins)
	if err != nil {
		return nil, err
	}
	if d.Meter == nil {
		d.Meter = uncounted{}
	}
	return &Door{
		desk: d.Desk, options: d.Options, paths: append(slices.Clone(d.Options.Paths), path), origins: allowed,
		redeems: make(chan struct{}, max(1, d.Options.Redeeming)), knocks: newKnocks(d.Options.WrongPerMinute, d.Now),
		audit: audit{log: d.Log, now: d.Now, meter: d.Meter}, log: d.Log, stopping: make(chan struct{}), seated: map[string]struct{}{},
	}, nil
}

// Run tells control which consoles are open until ctx ends; then it ends every console
// with the code "going away", refuses new ones, and returns when the last has ended.
func (d *Door) Run(ctx context.Context) error {
	defer d.close()
	tick := time.NewTicker(d.options.Counting)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			d.keep(ctx)
		}
	}
}

func (d *Door) close() {
	d.mu.Lock()
	if !d.closed {
		d.closed = true
		close(d.stopping)
	}
	d.mu.Unlock()
	d.open.Wait()
}

// enter counts a request in; false when the door is closed.
func (d *Door) enter() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.open.Add(1)
	return true
}

// ServeHTTP answers one request: a refusal in plain text, or a console until it ends.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains(d.paths, r.URL.Path) {
		answer(w, refused(http.StatusNotFound, "there is nothing at this address"))
		return
	}
	who := visitor{from: clientOf(r, d.options.TrustedProxies), origin: r.Header.Get("Origin")}
	if !d.enter() {
		answer(w, refused(http.StatusServiceUnavailable, "the console door is closing"))
		return
	}
	defer d.open.Done()
	claim, no := d.examine(r)
	who.claim = claim
	if no == nil {
		no = d.admit(w, r, who)
	}
	if no != nil {
		d.audit.refused(r.Context(), who, no)
		answer(w, no)
	}
}

// examine judges what the request itself shows. Nothing is asked of anyone yet, and
// no ticket is spent on what is no websocket of an allowed page.
func (d *Door) examine(r *http.Request) (control.TicketClaim, *refusal) {
	claim, err := readClaim(r.URL.RawQuery)
	switch {
	case !isUpgrade(r):
		return claim, refused(http.StatusUpgradeRequired, "this address speaks websocket only")
	case !isHandshake(r):
		return claim, refused(http.StatusBadRequest, "the websocket handshake is malformed: version "+version+" with one key is spoken here")
	case d.options.RequireTLS && !isSecure(r, d.options.TrustedProxies):
		return claim, refused(http.StatusForbidden, "plain connections are refused here; use wss:")
	case !d.origins.allow(r.Header.Values("Origin")):
		return claim, refused(http.StatusForbidden, "pages of this origin may not open consoles here")
	case err != nil:
		return claim, refused(http.StatusBadRequest, err.Error())
	}
	return claim, nil
}

// admit redeems the ticket, opens its terminal, upgrades and carries bytes. The order
// matters: what can be refused is refused while a plain answer can still say why.
func (d *Door) admit(w http.ResponseWriter, r *http.Request, who visitor) *refusal {
	ctx, cancel := context.WithCancel(r.Context()) // the life of the stream
	defer cancel()
	visit, no := d.redeem(ctx, who)
	if no != nil {
		return no
	}
	who.visit = visit
	d.sit(visit)
	defer d.rise(ctx, visit)
	target, no := d.target(ctx, cancel, visit)
	if no != nil {
		return no
	}
	defer func() { _ = target.Close() }()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols: subprotocols(), InsecureSkipVerify: true, // the origin was judged by examine
		CompressionMode: websocket.CompressionDisabled, // secrets and typed keys do not share a dictionary
	})
	if err != nil {
		d.audit.refused(ctx, who, refused(http.StatusBadRequest, err.Error())) // Accept has answered
		return nil
	}
	began := d.audit.opened(ctx, who, conn.Subprotocol())
	s := newSession(conn, target, d.options, d.stopping)
	end := s.run(ctx)
	d.audit.closed(context.WithoutCancel(ctx), who, began, s, end)
	return nil
}

// redeem has control take the ticket out. A storm of guesses is stopped before it,
// so that control and its database do not feel one.
func (d *Door) redeem(ctx context.Context, who visitor) (control.Visit, *refusal) {
	if d.knocks.tooMany(who.from) {
		return control.Visit{}, refused(http.StatusTooManyRequests, "too many wrong tickets came from your address; wait a little")
	}
	ctx, cancel := context.WithTimeout(ctx, d.options.Handshake)
	defer cancel()
	select {
	case d.redeems <- struct{}{}:
		defer func() { <-d.redeems }()
	case <-ctx.Done():
		return control.Visit{}, refused(http.StatusServiceUnavailable, "too many consoles are being opened; try again")
	}
	visit, err := d.desk.Redeem(ctx, who.claim)
	if domain.IsKind(err, domain.NotFound) {
		d.knocks.wrong(who.from)
	}
	if err != nil {
		return visit, refusalOf(ticketFault(err))
	}
	return visit, nil
}

// target opens the terminal. Only the opening is bounded: the stream lives on ctx.
func (d *Door) target(ctx context.Context, cancel context.CancelFunc, visit control.Visit) (control.Stream, *refusal) {
	late := time.AfterFunc(d.options.Handshake, cancel)
	target, err := d.desk.Enter(ctx, visit)
	if !late.Stop() {
		if err == nil {
			_ = target.Close()
		}
		return nil, refused(http.StatusGatewayTimeout, "the container's host did not answer in time")
	}
	if err != nil {
		return nil, refusalOf(err)
	}
	return target, nil
}

// ticketFault hides from a guesser whether a ticket or a container exists.
func ticketFault(err error) error {
	if domain.IsKind(err, domain.NotFound) {
		return domain.WrapFault(err, domain.Forbidden, "ticket-refused", "the ticket is unknown, expired or used; ask the API for a new one")
	}
	return err
}
