package clause

import (
	"maps"
	"slices"
	"strconv"

	"github.com/go-zun/zun/internal/control"
	"github.com/go-zun/zun/internal/domain"
)

// Covers says in words what Within asks.
func Covers(scope control.Scope, c *domain.Container) bool {
	return (scope.AllProjects || c.ProjectID == scope.ProjectID) && slices.Contains(kindsOf(scope), c.Kind)
}

// Within is the condition that a scope sets.
func Within(scope control.Scope) Where {
	var where Where
	if !scope.AllProjects {
		where.Add("project_id = ?", scope.ProjectID)
	}
	Among(&where, "container_type", kindsOf(scope))
	return where
}

func kindsOf(scope control.Scope) []domain.ContainerKind {
	if len(scope.Kinds) == 0 {
		return []domain.ContainerKind{domain.KindContainer}
	}
	return scope.Kinds
}

// Choose demands of where what f names.
func Choose(where *Where, f control.ContainerFilters) {
	where.Equal("name", f.Name)
	where.Equal("image", f.Image)
	where.Equal("project_id", f.ProjectID)
	where.Equal("user_id", f.UserID)
	where.Equal("host", f.Host)
	where.Equal("task_state", f.TaskState)
	where.Equal("status", f.Status)
	if f.Memory != nil {
		megabytes, err := strconv.ParseInt(*f.Memory, 10, 64)
		if err != nil {
			megabytes = -1 // which no container has, and nothing else equals it either
		}
		where.Add("memory = ?", megabytes)
	}
	if f.AutoRemove != nil {
		where.Add("auto_remove = ?", *f.AutoRemove)
	}
	if f.AutoHeal != nil {
		where.Add("auto_heal = ?", *f.AutoHeal)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Labels)) {
		where.Add("uuid IN (SELECT container_uuid FROM container_labels l WHERE l.name = ? AND l.value = ?)", name, f.Labels[name])
	}
}
