/* Lists: order, removal from within a walk, and nodes that are in no list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/list.h"

struct item {
	int number;
	struct list node;
};

static void fill(struct list *head, struct item *items, int count)
{
	list_init(head);
	for (int i = 0; i < count; i++) {
		items[i].number = i;
		list_add_last(head, &items[i].node);
	}
}

static void test_list_walks_in_the_order_of_adding(void **state)
{
	(void)state;
	struct list head;
	struct item items[5];
	fill(&head, items, 5);
	int expected = 0;
	list_each (node, &head)
		assert_int_equal(list_entry(node, struct item, node)->number, expected++);
	assert_int_equal(expected, 5);
	for (struct list *node = head.prev; node != &head; node = node->prev)
		assert_int_equal(list_entry(node, struct item, node)->number, --expected);
}

static void test_list_walk_may_remove_where_it_stands(void **state)
{
	(void)state;
	/* Every subset of five. */
	for (int mask = 0; mask < 32; mask++) {
		struct list head;
		struct item items[5];
		fill(&head, items, 5);
		int seen = 0;
		list_each_safe (node, &head) {
			seen++;
			if (mask >> list_entry(node, struct item, node)->number & 1)
				list_remove(node);
		}
		assert_int_equal(seen, 5);
		int left = ~mask & 31;
		list_each (node, &head)
			left &= ~(1 << list_entry(node, struct item, node)->number);
		assert_int_equal(left, 0);
		assert_int_equal(list_is_empty(&head), mask == 31);
	}
}

static void test_list_node_may_be_removed_twice(void **state)
{
	(void)state;
	struct list head;
	struct item items[2];
	fill(&head, items, 2);
	list_remove(&items[0].node);
	list_remove(&items[0].node);
	assert_true(list_is_empty(&items[0].node));
	assert_ptr_equal(head.next, &items[1].node);
	list_add_last(&head, &items[0].node);
	assert_ptr_equal(head.prev, &items[0].node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_walks_in_the_order_of_adding),
		cmocka_unit_test(test_list_walk_may_remove_where_it_stands),
		cmocka_unit_test(test_list_node_may_be_removed_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
