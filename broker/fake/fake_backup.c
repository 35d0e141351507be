/* What a disk in memory had at one moment, and a daemon that begins again with it. */
#include "fake/fake_node.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "base/pb.h"

struct fake_backup {
	uint64_t epoch;
	struct fake_record *records;
	size_t record_count;
	struct fake_value *values;
};

static void copy(struct buf *to, const struct buf *from)
{
	*to = (struct buf){0};
	buf_add(to, from->data, from->len);
}

static struct fake_record *copy_records(const struct fake_record *records, size_t count)
{
	struct fake_record *copies = mem_get((count + 1) * sizeof(*copies));
	for (size_t i = 0; i < count; i++) {
		copy(&copies[i].subject, &records[i].subject);
		copy(&copies[i].record, &records[i].record);
	}
	return copies;
}

static struct fake_value *copy_values(const struct fake_value *values)
{
	struct fake_value *copies = NULL;
	for (; values; values = values->next) {
		struct fake_value *value = mem_new(struct fake_value);
		value->key = mem_dup(values->key);
		copy(&value->value, &values->value);
		value->next = copies;
		copies = value;
	}
	return copies;
}

static void free_records(struct fake_record *records, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_fini(&records[i].subject);
		buf_fini(&records[i].record);
	}
	free(records);
}

static void free_values(struct fake_value *values)
{
	while (values) {
		struct fake_value *next = values->next;
		buf_fini(&values->value);
		free(values->key);
		free(values);
		values = next;
	}
}

struct fake_backup *fake_backup_new(const struct fake_node *node)
{
	struct fake_backup *backup = mem_new(struct fake_backup);
	backup->epoch = node->epoch;
	backup->records = copy_records(node->records, node->record_count);
	backup->record_count = node->record_count;
	backup->values = copy_values(node->values);
	return backup;
}

void fake_backup_free(struct fake_backup *backup)
{
	if (!backup)
		return;
	free_records(backup->records, backup->record_count);
	free_values(backup->values);
	free(backup);
}

void fake_disk_clear(struct fake_node *node)
{
	free_records(node->records, node->record_count);
	free_values(node->values);
	node->records = NULL;
	node->record_count = 0;
	node->values = NULL;
}

void fake_disk_restore(struct fake_node *node, const struct fake_backup *backup, bool waits_for_hub)
{
	struct buf epochs = {0};
	fake_disk_clear(node);
	node->records = copy_records(backup->records, backup->record_count);
	node->record_count = backup->record_count;
	node->values = copy_values(backup->values);
	node->env.load(node->env.world, "epochs", &epochs);
	size_t mark = pb_begin(&epochs, 1);
	pb_write_uint(&epochs, 1, backup->epoch);
	pb_write_uint(&epochs, 2, backup->record_count);
	pb_end(&epochs, mark);
	node->env.save(node->env.world, "epochs", span_of(epochs.data, epochs.len));
	node->env.save(node->env.world, "waits", span_of("1", waits_for_hub));
	buf_fini(&epochs);
	/* Later than any that this daemon ever had, also those that the backup does not know. */
	node->epoch += 1000;
}
