package dialect

import (
	"database/sql"
	"errors"
	"net"
	"net/url"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/pressly/goose/v3"
)

func mariaDialect() Dialect {
	return Dialect{
		Name:    goose.DialectMySQL,
		Now:     "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS SIGNED)",
		Integer: "SIGNED",
		Locks:   " FOR UPDATE",
		Words: map[string]string{
			"serial": "BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY", "uuid": "VARCHAR(36)", "name": "VARCHAR(255)",
			"text": "MEDIUMTEXT", "json": "MEDIUMTEXT", "bytes": "MEDIUMBLOB", "hash": "VARBINARY(64)", "time": "BIGINT",
			// Names are told apart by every byte, trailing spaces included.
			"table": "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_nopad_bin",
		},
		explain: explainMariaDB,
		Reading: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		Writing: &sql.TxOptions{Isolation: sql.LevelReadCommitted},
	}
}

func connectMariaDB(target *url.URL) (Database, error) {
	config := mysql.NewConfig()
	config.User = target.User.Username()
	config.Passwd, _ = target.User.Password()
	config.DBName = strings.TrimPrefix(target.Path, "/")
	config.Net, config.Addr = "tcp", target.Host
	if target.Port() == "" {
		config.Addr = net.JoinHostPort(target.Hostname(), "3306")
	}
	for option, values := range target.Query() {
		switch option {
		case "unix_socket":
			config.Net, config.Addr = "unix", values[0]
		case "charset": // always utf8mb4, in which every other one can be written
		default:
			return Database{}, badDSN("the mysql URL has the option " + option + ", which is not understood")
		}
	}
	config.Timeout = dialTimeout
	config.ClientFoundRows = true      // an UPDATE counts the rows it matched, as elsewhere
	config.ParseTime = true            // the table of versions has dates
	config.InterpolateParams = true    // one round trip per statement
	config.Logger = &mysql.NopLogger{} // it says only what the errors say
	config.Params = map[string]string{
		"time_zone": "'+00:00'", // else the clock is ambiguous for an hour each autumn
		"sql_mode":  "'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return Database{}, badDSN("the mysql URL has a part that is not understood")
	}
	pool := sql.OpenDB(connector)
	pool.SetMaxOpenConns(maxServerConns)
	pool.SetMaxIdleConns(maxServerConns)
	return Database{Dialect: mariaDialect(), Writer: pool, Reader: pool}, nil
}

func explainMariaDB(err error) Trouble {
	if errors.Is(err, mysql.ErrInvalidConn) {
		return Unreachable
	}
	var refused *mysql.MySQLError
	if !errors.As(err, &refused) {
		return Unexplained
	}
	switch refused.Number {
	case 1062:
		return Duplicate
	case 1451, 1452:
		return Referred
	case 1020, 1205, 1213: // changed since read, lock wait timeout, deadlock
		return Raced
	case 1366, 1406: // character not storable, data too long
		return Misfit
	case 1021, 1040, 1044, 1045, 1049, 1053, 1114, 1203, 1927: // disk full, too many connections, refused, shutting down
		return Unreachable
	default:
		return Unexplained
	}
}
