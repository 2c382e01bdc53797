-- The tables of the first release. Words with a dollar sign are put into the
-- database's own by its dialect; every column is written by every insert.

CREATE TABLE registries (
    id              $serial,
    uuid            $uuid   NOT NULL UNIQUE,
    project_id      $name   NOT NULL,
    user_id         $name   NOT NULL,
    name            $name   NOT NULL,
    domain          $name   NOT NULL,
    username        $name   NOT NULL,
    sealed_password $bytes  NOT NULL
) $table;
CREATE INDEX registries_by_name ON registries (name, project_id);

CREATE TABLE hosts (
    id                   $serial,
    uuid                 $uuid   NOT NULL UNIQUE,
    hostname             $name   NOT NULL UNIQUE,
    service_binary       $name   NOT NULL,
    address              $name   NOT NULL,
    availability_zone    $name   NOT NULL,
    disabled             BOOLEAN NOT NULL,
    disabled_reason      $text   NOT NULL,
    forced_down          BOOLEAN NOT NULL,
    last_seen_up         $time   NOT NULL,
    report_count         BIGINT  NOT NULL,
    created_at           $time   NOT NULL,
    updated_at           $time   NOT NULL,
    boot_id              $name   NOT NULL,
    revision             BIGINT  NOT NULL,
    cpus                 BIGINT  NOT NULL,
    mem_total            BIGINT  NOT NULL,
    disk_total           BIGINT  NOT NULL,
    architecture         $name   NOT NULL,
    os_type              $name   NOT NULL,
    os                   $name   NOT NULL,
    kernel_version       $name   NOT NULL,
    labels               $json   NOT NULL,
    runtimes             $json   NOT NULL,
    disk_quota_supported BOOLEAN NOT NULL,
    enable_cpu_pinning   BOOLEAN NOT NULL,
    engine_name          $name   NOT NULL,
    engine_version       $name   NOT NULL,
    engine_up            BOOLEAN NOT NULL,
    engine_reason        $text   NOT NULL,
    total_containers     BIGINT  NOT NULL,
    cpu_used             BIGINT  NOT NULL, -- millionths of a CPU
    mem_used             BIGINT  NOT NULL,
    disk_used            BIGINT  NOT NULL
) $table;

CREATE TABLE containers (
    id                $serial,
    uuid              $uuid   NOT NULL UNIQUE,
    container_type    BIGINT  NOT NULL,
    capsule_uuid      $uuid   NOT NULL,
    project_id        $name   NOT NULL,
    user_id           $name   NOT NULL,
    name              $name   NOT NULL,
    image             $text   NOT NULL,
    image_driver      $name   NOT NULL,
    image_pull_policy $name   NOT NULL,
    pull_policy_asked $name   NOT NULL,
    registry_uuid     $uuid,
    command           $json   NOT NULL,
    entrypoint        $json   NOT NULL,
    environment       $json   NOT NULL,
    labels            $json   NOT NULL,
    annotations       $json   NOT NULL,
    workdir           $text   NOT NULL,
    hostname_asked    $name   NOT NULL,
    cpu               DOUBLE PRECISION NOT NULL,
    cpu_policy        $name   NOT NULL,
    memory            BIGINT  NOT NULL,
    disk              BIGINT  NOT NULL,
    restart_policy    $json   NOT NULL,
    auto_remove       BOOLEAN NOT NULL,
    auto_heal         BOOLEAN NOT NULL,
    interactive       BOOLEAN NOT NULL,
    tty               BOOLEAN NOT NULL,
    privileged        BOOLEAN NOT NULL,
    runtime           $name   NOT NULL,
    healthcheck       $json   NOT NULL,
    exposed_ports     $json   NOT NULL,
    security_groups   $json   NOT NULL,
    mounts            $json   NOT NULL,
    nets              $json   NOT NULL,
    hints             $json   NOT NULL,
    zone_asked        $name   NOT NULL,
    host_asked        $name   NOT NULL,
    status            $name   NOT NULL,
    former_status     $name   NOT NULL,
    status_reason     $text   NOT NULL,
    status_detail     $text   NOT NULL,
    task_state        $name   NOT NULL,
    host_uuid         $uuid   NOT NULL,
    host              $name   NOT NULL,
    generation        BIGINT  NOT NULL,
    ever_created      BOOLEAN NOT NULL,
    revision          BIGINT  NOT NULL,
    want_absent       BOOLEAN NOT NULL,
    want_running      BOOLEAN NOT NULL,
    want_paused       BOOLEAN NOT NULL,
    nics              $json   NOT NULL,
    resolved          $json   NOT NULL,
    container_id      $name   NOT NULL, -- the engine's
    hostname          $name   NOT NULL,
    ports             $json   NOT NULL,
    exit_code         BIGINT,
    health            $name   NOT NULL,
    restarts          BIGINT  NOT NULL,
    started_at        $time   NOT NULL,
    created_at        $time   NOT NULL,
    updated_at        $time   NOT NULL,
    FOREIGN KEY (registry_uuid) REFERENCES registries (uuid)
) $table;
CREATE INDEX containers_by_project ON containers (project_id, container_type, id);
CREATE INDEX containers_by_name ON containers (name, project_id, container_type, id);
CREATE INDEX containers_by_host ON containers (host_uuid, revision);

-- The labels once more, one a row, so that a list can be filtered by them.
CREATE TABLE container_labels (
    container_uuid $uuid NOT NULL,
    name           $name NOT NULL,
    value          $text NOT NULL,
    PRIMARY KEY (container_uuid, name),
    FOREIGN KEY (container_uuid) REFERENCES containers (uuid) ON DELETE CASCADE
) $table;
CREATE INDEX container_labels_by_name ON container_labels (name);

-- Removed containers whose host has not yet reported clean.
CREATE TABLE tombstones (
    id             $serial,
    container_uuid $uuid  NOT NULL UNIQUE,
    host_uuid      $uuid  NOT NULL,
    revision       BIGINT NOT NULL,
    container      $json  NOT NULL
) $table;
CREATE INDEX tombstones_by_host ON tombstones (host_uuid, revision);

CREATE TABLE actions (
    id             $serial,
    container_uuid $uuid   NOT NULL,
    verb           $name   NOT NULL,
    args           $json   NOT NULL,
    state          $name   NOT NULL,
    message        $text   NOT NULL,
    reason         $text   NOT NULL,
    request_id     $name   NOT NULL,
    user_id        $name   NOT NULL,
    project_id     $name   NOT NULL,
    owner          $name   NOT NULL,
    epoch          BIGINT  NOT NULL,
    lease_until    $time   NOT NULL,
    attempts       BIGINT  NOT NULL,
    started_at     $time   NOT NULL,
    finished_at    $time   NOT NULL, -- zero while unfinished
    progress_at    $time   NOT NULL,
    deadline       $time   NOT NULL,
    retry_at       $time   NOT NULL,
    FOREIGN KEY (container_uuid) REFERENCES containers (uuid) ON DELETE CASCADE
) $table;
CREATE INDEX actions_by_container ON actions (container_uuid, finished_at, id);
CREATE INDEX actions_by_state ON actions (state, id);

CREATE TABLE action_events (
    id          $serial,
    action_id   BIGINT NOT NULL,
    name        $name  NOT NULL,
    result      $name  NOT NULL,
    details     $text  NOT NULL,
    started_at  $time  NOT NULL,
    finished_at $time  NOT NULL, -- zero while open
    FOREIGN KEY (action_id) REFERENCES actions (id) ON DELETE CASCADE
) $table;
CREATE INDEX action_events_by_action ON action_events (action_id, id);

CREATE TABLE quota_limits (
    id         $serial,
    is_class   BOOLEAN NOT NULL,
    subject    $name   NOT NULL,
    resource   $name   NOT NULL,
    hard_limit BIGINT  NOT NULL,
    UNIQUE (subject, is_class, resource)
) $table;

CREATE TABLE quota_usages (
    project_id $name  NOT NULL PRIMARY KEY,
    containers BIGINT NOT NULL,
    cpu        BIGINT NOT NULL, -- millionths of a CPU
    memory     BIGINT NOT NULL,
    disk       BIGINT NOT NULL
) $table;

CREATE TABLE local_networks (
    id         $serial,
    uuid       $uuid  NOT NULL UNIQUE,
    project_id $name  NOT NULL,
    name       $name  NOT NULL,
    position   BIGINT NOT NULL UNIQUE,
    mtu        BIGINT NOT NULL,
    subnets    $json  NOT NULL,
    UNIQUE (project_id, name)
) $table;

CREATE TABLE local_ports (
    id             $serial,
    uuid           $uuid NOT NULL UNIQUE,
    network_uuid   $uuid NOT NULL,
    project_id     $name NOT NULL,
    container_uuid $uuid NOT NULL,
    mac            $name NOT NULL,
    addresses      $json NOT NULL,
    FOREIGN KEY (network_uuid) REFERENCES local_networks (uuid)
) $table;
CREATE INDEX local_ports_by_network ON local_ports (network_uuid);
CREATE INDEX local_ports_by_container ON local_ports (container_uuid);

-- The addresses of the ports once more, so that each is leased once.
CREATE TABLE local_addresses (
    network_uuid $uuid NOT NULL,
    address      $uuid NOT NULL,
    port_uuid    $uuid NOT NULL,
    PRIMARY KEY (network_uuid, address),
    FOREIGN KEY (port_uuid) REFERENCES local_ports (uuid) ON DELETE CASCADE
) $table;
CREATE INDEX local_addresses_by_port ON local_addresses (port_uuid);

CREATE TABLE images (
    id         $serial,
    uuid       $uuid NOT NULL UNIQUE,
    project_id $name NOT NULL,
    user_id    $name NOT NULL,
    image_id   $name NOT NULL,
    repo       $name NOT NULL,
    tag        $name NOT NULL,
    size       $name NOT NULL,
    host       $name NOT NULL,
    created_at $time NOT NULL,
    UNIQUE (repo, tag, host)
) $table;

CREATE TABLE tickets (
    kind       $name NOT NULL,
    hash       $hash NOT NULL,
    subject    $name NOT NULL,
    exec_id    $name NOT NULL,
    user_id    $name NOT NULL,
    project_id $name NOT NULL,
    expires_at $time NOT NULL,
    PRIMARY KEY (kind, hash)
) $table;
CREATE INDEX tickets_by_expiry ON tickets (expires_at);

-- One row, whose id is 1.
CREATE TABLE authority (
    id            BIGINT NOT NULL PRIMARY KEY,
    deployment_id $name  NOT NULL,
    cert_pem      $bytes NOT NULL,
    sealed_key    $bytes NOT NULL
) $table;
