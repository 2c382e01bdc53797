package fleet

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Assignments returns what changed for a host after revision, whole, and the
// revision that this reaches. After 0 it is everything the host must know; a
// container whose resources the host has given back already is left out.
func (f *Fleet) Assignments(ctx context.Context, hostID string, after int64) (all []domain.Assignment, reached int64, err error) {
	err = f.control.Look(ctx, func(ctx context.Context, tx control.Tx) error {
		all = nil
		host, err := tx.Hosts().Get(ctx, hostID)
		if err != nil {
			return fmt.Errorf("read host %s: %w", hostID, err)
		}
		reached = host.Revision
		rows, err := tx.Containers().List(ctx, control.ContainerQuery{Scope: control.Everything(), HostID: hostID, SinceRevision: &after})
		if err != nil {
			return fmt.Errorf("list the containers of %s: %w", hostID, err)
		}
		for _, row := range rows {
			a, shown, err := f.assignment(ctx, tx, row)
			if err != nil {
				return err
			}
			if shown {
				all = append(all, a)
			}
		}
		graves, err := tx.Containers().Tombstones().Since(ctx, hostID, after)
		if err != nil {
			return fmt.Errorf("list the tombstones of %s: %w", hostID, err)
		}
		for _, row := range graves {
			all = append(all, grave(row))
		}
		return nil
	})
	return all, reached, err
}

// assignment makes the assignment of one row; shown is false when the host has
// nothing more to do with it.
func (f *Fleet) assignment(ctx context.Context, tx control.Tx, row domain.Container) (a domain.Assignment, shown bool, err error) {
	a = domain.Assignment{
		Container: row.ID, ProjectID: row.ProjectID, Revision: row.Revision, Generation: row.Generation,
		EverCreated: row.EverCreated, Want: row.Want, Spec: row.Spec, Nics: row.Nics, Volumes: row.Volumes,
		CPUSet: row.CPUSet,
	}
	queue, err := tx.Actions().Queue(ctx, row.ID)
	if err != nil {
		return a, false, fmt.Errorf("read the queue of %s: %w", row.ID, err)
	}
	var domainName string
	if len(queue) > 0 {
		head := queue[0]
		if head.State == domain.ActionReleased && head.Verb == domain.VerbDelete {
			return a, false, nil
		}
		if head.State == domain.ActionPrepared || head.State == domain.ActionBegun {
			a.Op = operation(head)
			a.Spec = a.Spec.Updated(head.Args)
		}
	}
	if a.Secret, domainName, err = f.pullSecret(ctx, tx, a.Spec, a.Op); err != nil {
		return a, false, err
	}
	a.Spec.Image = a.Spec.QualifiedImage(domainName)
	if a.Spec.OwnImage != "" { // it is on that host and nowhere else
		a.Spec.Image, a.Spec.PullPolicy, a.Secret = domain.OwnReference(a.Spec.OwnImage), domain.PullNever, nil
	}
	f.demandSignature(&a)
	if len(a.Spec.Mounts) > 0 {
		a.Requires = append(a.Requires, domain.AbilityMounts)
	}
	if a.CPUSet != (domain.CPUSet{}) {
		a.Requires = append(a.Requires, domain.AbilityCPUs)
	}
	if len(a.Volumes) > 0 {
		a.Requires = append(a.Requires, domain.AbilityVolumes)
	}
	if slices.ContainsFunc(a.Nics, func(n domain.Nic) bool { return len(n.Groups) > 0 }) {
		a.Requires = append(a.Requires, domain.AbilityGroups)
	}
	return a, true, nil
}

// demandSignature tells the host whose signature the image must bear, while it makes
// something of it. An image that the rules refuse by now was allowed when it was
// accepted, which is what counts.
func (f *Fleet) demandSignature(a *domain.Assignment) {
	makes := a.Op != nil && (a.Op.Verb == domain.VerbCreate || a.Op.Verb == domain.VerbRebuild)
	if !makes || a.Spec.OwnImage != "" {
		return
	}
	if keys, err := f.control.JudgeImage(a.Spec.Image); err == nil && len(keys) > 0 {
		a.ImageKeys = keys
		a.Requires = append(a.Requires, domain.AbilitySignatures)
	}
}

func operation(a domain.Action) *domain.Op {
	return &domain.Op{
		ActionID: a.ID, Epoch: a.Epoch, Verb: a.Verb, Args: a.Args, Begun: a.State == domain.ActionBegun,
		AcceptedAt: a.StartedAt, RequestID: a.RequestID,
	}
}

// grave asks a host to remove what it still holds of a row that is gone. Its
// operation has no action: the report of it names action 0.
func grave(row domain.Container) domain.Assignment {
	return domain.Assignment{
		Container: row.ID, ProjectID: row.ProjectID, Revision: row.Revision, Generation: row.Generation,
		EverCreated: row.EverCreated, Want: domain.Want{Absent: true}, Spec: row.Spec, Nics: row.Nics, Volumes: row.Volumes,
		CPUSet: row.CPUSet,
		Op:     &domain.Op{Verb: domain.VerbDelete, Args: domain.ActionArgs{Force: true}, AcceptedAt: row.CreatedAt},
	}
}

// pullSecret returns the registry domain of the container's image and, while the
// host must pull, its credential. A secret goes no further than it is needed, and to no
// registry but its own, whatever domain the image names.
func (f *Fleet) pullSecret(ctx context.Context, tx control.Tx, spec domain.Spec, op *domain.Op) (*domain.PullSecret, string, error) {
	pulls := op != nil && (op.Verb == domain.VerbCreate || op.Verb == domain.VerbRebuild)
	if spec.RegistryID == "" {
		standard := f.control.Options().DefaultRegistry
		if !pulls || standard.Username == "" || !comesFrom(spec.Image, standard.Domain) {
			return nil, standard.Domain, nil
		}
		return &standard, standard.Domain, nil
	}
	found, err := tx.Registries().Find(ctx, control.Everything(), spec.RegistryID)
	if err != nil || len(found) == 0 {
		return nil, "", err
	}
	r := found[0]
	if !pulls || r.Username == "" || !comesFrom(spec.Image, r.Domain) {
		return nil, r.Domain, nil
	}
	password, err := f.openPassword(r)
	return &domain.PullSecret{Domain: r.Domain, Username: r.Username, Password: password}, r.Domain, err
}

// comesFrom says whether an image is asked of registry: it names no other.
func comesFrom(image, registry string) bool {
	named := domain.ImageDomain(image)
	return named == "" || named == domain.ImageDomain(registry+"/")
}

func (f *Fleet) openPassword(r domain.Registry) (string, error) {
	if len(r.SealedPassword) == 0 {
		return "", nil
	}
	plain, err := f.secrets.Open(r.SealedPassword)
	if err != nil {
		return "", fmt.Errorf("open the password of registry %s: %w", r.ID, err)
	}
	return string(plain), nil
}
