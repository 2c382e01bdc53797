package sqlstore

import (
	"context"

	"github.com/go-zun/zun/internal/adapter/store/sql/column"
	"github.com/go-zun/zun/internal/domain"
)

type tombstones struct{ *tx }

// tombstone is a removed container; it is kept whole, because its columns serve no
// query any more.
type tombstone struct {
	container domain.Container
	revision  int64
}

func tombstoneFields(t *tombstone) []column.Field {
	return []column.Field{
		column.Text("container_uuid", &t.container.ID),
		column.Text("host_uuid", &t.container.HostID),
		column.Number("revision", &t.revision),
		column.Document("container", &t.container),
	}
}

func (s tombstones) Put(ctx context.Context, c domain.Container) error {
	host, err := s.advanced(ctx, c.HostID)
	if err != nil {
		return err
	}
	c.Revision = host.Revision
	if err := s.Drop(ctx, c.ID); err != nil {
		return err
	}
	return s.insert(ctx, "tombstones", tombstoneFields(&tombstone{container: c, revision: c.Revision}))
}

func (s tombstones) Since(ctx context.Context, hostID string, rev int64) ([]domain.Container, error) {
	found, err := rows(ctx, s.tx, tombstoneFields, "FROM tombstones WHERE host_uuid = ? AND revision > ? ORDER BY revision", hostID, rev)
	if err != nil {
		return nil, err
	}
	out := make([]domain.Container, len(found))
	for i, t := range found {
		out[i] = t.container
	}
	return out, nil
}

func (s tombstones) Get(ctx context.Context, id domain.ContainerID) (domain.Container, error) {
	found, err := one(ctx, s.tx, containerNotFound(string(id)), tombstoneFields,
		"FROM tombstones WHERE container_uuid = ?"+s.locks, string(id))
	return found.container, err
}

func (s tombstones) Drop(ctx context.Context, id domain.ContainerID) error {
	_, err := s.exec(ctx, "DELETE FROM tombstones WHERE container_uuid = ?", string(id))
	return err
}
