// Package sqlstore keeps the state of the service in one SQL database. It serves
// the ports of control on SQLite, PostgreSQL and MariaDB from one text: what the
// three say differently is gathered in the room dialect.
//
// Every statement is written with ? for arguments and @now for the database's
// clock; both are put into the words of the dialect when it runs. Times are
// kept as microseconds since 1970 UTC, zero for "never", so that all three
// databases compare and sort them alike; maps and lists are kept as JSON text.
package sqlstore
