/*
 * PostgreSQL by libpq's pipeline mode: what was put since the last turn is one transaction, so all
 * that is outstanding shares a commit.
 */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <libpq-fe.h>

#include "durable/durable.h"
#include "durable/writers.h"
#include "kit/process.h"

#define PROGRAMS "/usr/lib/postgresql/15/bin"
#define WAIT_MS 15000

/* It refuses to run as root. */
static const char *become_postgres(void)
{
	return geteuid() == 0
		       ? "setpriv --reuid=postgres --regid=postgres --clear-groups env LC_ALL=C "
		       : "";
}

static bool make_cluster(const char *folder, const char *log)
{
	char command[900];
	const struct passwd *user = getpwnam("postgres");
	if (mkdir(folder, 0700) != 0)
		return false;
	if (geteuid() == 0 && (!user || chown(folder, user->pw_uid, user->pw_gid) != 0))
		return false;
	snprintf(command, sizeof(command),
		 "%s" PROGRAMS "/initdb -A trust -E UTF8 --locale=C -U bench -D '%s' >'%s' 2>&1",
		 become_postgres(), folder, log);
	return system(command) == 0;
}

static PGconn *connect_within(const char *endpoint, unsigned timeout_ms)
{
	uint64_t until_ns = now_ns() + (uint64_t)timeout_ms * 1000000;
	struct timespec pause = {.tv_nsec = 20000000};
	for (;;) {
		PGconn *connection = PQconnectdb(endpoint);
		if (PQstatus(connection) == CONNECTION_OK)
			return connection;
		PQfinish(connection);
		if (now_ns() > until_ns)
			return NULL;
		nanosleep(&pause, NULL);
	}
}

bool postgres_start(struct contestant *self, const struct setting *setting)
{
	char folder[300];
	char output[320];
	char command[900];
	if (access(PROGRAMS "/postgres", X_OK) != 0) {
		snprintf(self->missing, sizeof(self->missing),
			 "PostgreSQL is not installed (Debian: postgresql-15)");
		return false;
	}
	unsigned port = contest_find_port();
	snprintf(folder, sizeof(folder), "%s/postgres", setting->folder);
	snprintf(output, sizeof(output), "%s/postgres.log", setting->folder);
	chmod(setting->folder, 0711);
	if (!make_cluster(folder, output)) {
		snprintf(self->missing, sizeof(self->missing), "initdb failed: see %.250s", output);
		return false;
	}
	snprintf(command, sizeof(command),
		 "exec %s" PROGRAMS "/postgres -D '%s' -p %u -c listen_addresses=127.0.0.1 "
		 "-c unix_socket_directories= -c fsync=on -c synchronous_commit=on "
		 "-c shared_buffers=1GB -c maintenance_work_mem=1GB -c max_wal_size=8GB",
		 become_postgres(), folder, port);
	char *argv[] = {"/bin/sh", "-c", command, NULL};
	self->broker = process_start(argv, output);
	snprintf(self->endpoint, sizeof(self->endpoint),
		 "host=127.0.0.1 port=%u user=bench dbname=postgres", port);
	PGconn *connection = connect_within(self->endpoint, WAIT_MS);
	if (!connection) {
		snprintf(self->missing, sizeof(self->missing),
			 "PostgreSQL did not start: see %.250s", output);
		return false;
	}
	PQclear(PQexec(connection, "CREATE TABLE log (seq bigserial PRIMARY KEY, subject text, "
				   "payload bytea)"));
	PQfinish(connection);
	return true;
}

void postgres_before(struct contestant *self, const struct setting *setting,
		     const struct workload *work)
{
	(void)setting;
	(void)work;
	PGconn *connection = connect_within(self->endpoint, WAIT_MS);
	if (!connection)
		return;
	PQclear(PQexec(connection, "TRUNCATE log"));
	PQfinish(connection);
}

/* ---- a publisher ---- */

struct connection {
	PGconn *pg;
	struct writer *writer;
	/* Slots in the order in which they were put, and what has been answered but not committed.
	 */
	size_t waiting[WRITERS_MAX_OUTSTANDING];
	size_t first;
	size_t next;
	size_t inserted;
	bool has_unsynced;
};

static void *open_connection(const struct contestant *self, struct measure *measure,
			     struct writer *writer)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	connection->writer = writer;
	connection->pg = connect_within(self->endpoint, WAIT_MS);
	if (!connection->pg) {
		contest_fail(measure, "no connection to PostgreSQL");
		return NULL;
	}
	PQclear(PQprepare(connection->pg, "add",
			  "INSERT INTO log (subject, payload) VALUES ($1, $2)", 2, NULL));
	PQenterPipelineMode(connection->pg);
	PQsetnonblocking(connection->pg, 1);
	return connection;
}

static bool put(void *arg, size_t slot, const char *subject, const uint8_t *body, size_t len)
{
	struct connection *connection = arg;
	const char *const values[2] = {subject, (const char *)body};
	const int lens[2] = {(int)strlen(subject), (int)len};
	static const int formats[2] = {0, 1};
	connection->waiting[connection->next++ % WRITERS_MAX_OUTSTANDING] = slot;
	connection->has_unsynced = true;
	return PQsendQueryPrepared(connection->pg, "add", 2, values, lens, formats, 0) == 1;
}

static bool wait_for(struct connection *connection, bool to_write)
{
	fd_set readable;
	fd_set writable;
	struct timeval wait = {.tv_usec = 100000};
	int fd = PQsocket(connection->pg);
	FD_ZERO(&readable);
	FD_ZERO(&writable);
	FD_SET(fd, &readable);
	if (to_write)
		FD_SET(fd, &writable);
	return select(fd + 1, &readable, &writable, NULL, &wait) >= 0 &&
	       PQconsumeInput(connection->pg) == 1;
}

/* All rows of a transaction are safe when its end has been answered. */
static bool take_results(struct connection *connection)
{
	while (!PQisBusy(connection->pg)) {
		PGresult *result = PQgetResult(connection->pg);
		/* The first is the end of one query's results, a second one of all. */
		if (!result)
			result = PQgetResult(connection->pg);
		if (!result)
			return true;
		ExecStatusType status = PQresultStatus(result);
		PQclear(result);
		if (status == PGRES_COMMAND_OK) {
			connection->inserted++;
		} else if (status == PGRES_PIPELINE_SYNC) {
			size_t count = connection->inserted;
			connection->inserted = 0;
			for (size_t i = 0; i < count; i++)
				writer_acked(connection->writer,
					     connection->waiting[connection->first++ %
								 WRITERS_MAX_OUTSTANDING]);
		} else {
			writer_refused(connection->writer, PQerrorMessage(connection->pg));
			return false;
		}
	}
	return true;
}

static bool turn(void *arg)
{
	struct connection *connection = arg;
	if (connection->has_unsynced && PQpipelineSync(connection->pg) != 1)
		return false;
	connection->has_unsynced = false;
	int unsent = PQflush(connection->pg);
	if (unsent < 0 || !wait_for(connection, unsent == 1))
		return false;
	return take_results(connection);
}

static void close_connection(void *arg)
{
	struct connection *connection = arg;
	PQfinish(connection->pg);
	free(connection);
}

void postgres_round(const struct contestant *self, const struct setting *setting,
		    const struct workload *work, struct measure *ret_measure)
{
	static const struct writer_parts parts = {open_connection, put, turn, close_connection};
	writers_round(self, setting, work, &parts, ret_measure);
}
