package domain_test

import (
	"strings"
	"testing"

	"github.com/go-zun/zun/internal/domain"
)

// contractTable is the contract's table of which verb is allowed in which status,
// written out once more. A column is y where the verb is allowed.
const contractTable = `
                  Created Running Stopped Paused Error Unknown Creating Restarting Rebuilding Deleting Deleted Dead
start             y       .       y       .      y     .       .        .          .          .        .       .
stop              .       y       .       .      .     .       .        .          .          .        .       .
reboot            y       y       y       .      y     .       .        .          .          .        .       .
rebuild           y       y       y       .      y     .       .        .          .          .        .       .
pause             .       y       .       .      .     .       .        .          .          .        .       .
unpause           .       .       .       y      .     .       .        .          .          .        .       .
kill              .       y       .       .      .     .       .        .          .          .        .       .
execute           .       y       .       .      .     .       .        .          .          .        .       .
execute_resize    .       y       .       .      .     .       .        .          .          .        .       .
attach            .       y       .       .      .     .       .        .          .          .        .       .
resize            .       y       .       .      .     .       .        .          .          .        .       .
top               .       y       .       .      .     .       .        .          .          .        .       .
stats             .       y       .       .      .     .       .        .          .          .        .       .
logs              y       y       y       y      y     y       .        .          .          .        .       .
update            y       y       y       y      .     .       .        .          .          .        .       .
resize_container  y       y       y       y      .     .       .        .          .          .        .       .
add_security_group    y   y       y       y      .     .       .        .          .          .        .       .
remove_security_group y   y       y       y      .     .       .        .          .          .        .       .
get_archive       y       y       y       y      .     .       .        .          .          .        .       .
put_archive       y       y       y       y      .     .       .        .          .          .        .       .
commit            .       y       y       y      .     .       .        .          .          .        .       .
delete            y       .       y       .      y     .       .        .          .          .        y       y
delete_after_stop y       y       y       .      y     .       .        .          .          .        y       y
delete_force      y       y       y       .      y     y       y        y          y          y        y       y
rename            y       y       y       y      y     y       y        y          y          y        y       y
network_attach    y       y       y       y      y     y       y        y          y          y        y       y
network_detach    y       y       y       y      y     y       y        y          y          y        y       y
network_list      y       y       y       y      y     y       y        y          y          y        y       y
`

// divergences are the cells that this service allows beyond the contract, because
// nothing that an owner made may be undeletable.
func divergences() map[domain.Verb][]domain.Status {
	return map[domain.Verb][]domain.Status{
		domain.VerbDeleteForce: {domain.Paused},
		domain.VerbDeleteAfterStop: {
			domain.Paused, domain.Unknown, domain.Creating, domain.Restarting, domain.Rebuilding,
		},
	}
}

func TestLegalityIsTheContractsTable(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(contractTable), "\n")
	header := strings.Fields(lines[0])
	if len(header) != len(domain.Statuses()) {
		t.Fatalf("the table has %d statuses, the domain %d", len(header), len(domain.Statuses()))
	}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		verb := domain.Verb(cells[0])
		for i, cell := range cells[1:] {
			status := domain.Status(header[i])
			want := cell == "y"
			for _, more := range divergences()[verb] {
				want = want || more == status
			}
			if got := domain.Allowed(verb, status); got != want {
				t.Errorf("%s in %s: allowed %v, want %v", verb, status, got, want)
			}
		}
	}
}

func TestRefusalSpeaksTheContractsWords(t *testing.T) {
	err := domain.CheckAllowed(domain.VerbUnpause, "c1", domain.Running)
	fault := domain.AsFault(err)
	if fault == nil || fault.Kind != domain.Conflict || fault.Code != "invalid-state-exception" ||
		fault.Message != "Cannot unpause container c1 in Running state" {
		t.Errorf("got %+v", fault)
	}
	if err := domain.CheckAllowed(domain.VerbStop, "c1", domain.Running); err != nil {
		t.Errorf("stop of a running container: %v", err)
	}
}

func TestNext(t *testing.T) {
	for _, c := range []struct {
		name     string
		from     domain.Status
		verb     domain.Verb
		moment   domain.Moment
		run      bool
		observed domain.Status
		want     domain.Status
	}{
		{"accepted create", "", domain.VerbCreate, domain.Accepted, true, "", domain.Creating},
		{"accepted start changes nothing", domain.Stopped, domain.VerbStart, domain.Accepted, false, "", domain.Stopped},
		{"accepted reboot", domain.Running, domain.VerbReboot, domain.Accepted, false, "", domain.Restarting},
		{"accepted rebuild", domain.Running, domain.VerbRebuild, domain.Accepted, true, "", domain.Rebuilding},
		{"accepted delete", domain.Creating, domain.VerbDelete, domain.Accepted, false, "", domain.Deleting},
		{"created", domain.Creating, domain.VerbCreate, domain.Done, false, "", domain.Created},
		{"created and run", domain.Creating, domain.VerbCreate, domain.Done, true, "", domain.Running},
		{"ended before the report", domain.Creating, domain.VerbCreate, domain.Done, true, domain.Stopped, domain.Stopped},
		{"rebuilt", domain.Rebuilding, domain.VerbRebuild, domain.Done, true, "", domain.Running},
		{"stopped", domain.Running, domain.VerbStop, domain.Done, false, "", domain.Stopped},
		{"a hang-up stops nothing", domain.Running, domain.VerbKill, domain.Done, false, domain.Running, domain.Running},
		{"updated", domain.Paused, domain.VerbUpdate, domain.Done, false, "", domain.Paused},
		{"failed create", domain.Creating, domain.VerbCreate, domain.Failed, true, domain.Created, domain.Error},
		{"failed start", domain.Stopped, domain.VerbStart, domain.Failed, false, domain.Stopped, domain.Error},
		{"failed stop", domain.Running, domain.VerbStop, domain.Failed, false, domain.Running, domain.Running},
		{"failed pause, unseen", domain.Running, domain.VerbPause, domain.Failed, false, "", domain.Running},
		{"failed delete", domain.Deleting, domain.VerbDelete, domain.Failed, false, domain.Running, domain.Deleting},
	} {
		if got := domain.Next(c.from, c.verb, c.moment, c.run, c.observed); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestPredict(t *testing.T) {
	queue := func(verbs ...domain.Verb) (q []domain.Queued) {
		for _, v := range verbs {
			q = append(q, domain.Queued{Verb: v, Run: true})
		}
		return q
	}
	for _, c := range []struct {
		from  domain.Status
		queue []domain.Queued
		want  domain.Status
	}{
		{domain.Running, nil, domain.Running},
		{domain.Creating, queue(domain.VerbCreate), domain.Running},
		{domain.Creating, queue(domain.VerbCreate, domain.VerbStop), domain.Stopped},
		{domain.Running, queue(domain.VerbStop, domain.VerbStart, domain.VerbPause), domain.Paused},
		{domain.Restarting, queue(domain.VerbReboot), domain.Running},
		{domain.Running, queue(domain.VerbDelete), domain.Deleted},
	} {
		if got := domain.Predict(c.from, c.queue); got != c.want {
			t.Errorf("%s with %v: got %s, want %s", c.from, c.queue, got, c.want)
		}
	}
}
