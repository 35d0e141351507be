/* The rules by name, each with the line that `lyceum schema diff --rules` prints. */
#include "schema/differ.h"

const struct diff_rule diff_rules[DIFF_RULE_COUNT + 1] = {
	[ENUM_SAME_JSON_FORMAT] = {"ENUM_SAME_JSON_FORMAT",
				   "an enum keeps its canonical JSON: it does not go from proto3 "
				   "to proto2"},
	[ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED] =
		{"ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED",
		 "an enum value is not deleted unless its name is reserved"},
	[ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED] =
		{"ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
		 "an enum value is not deleted unless its number is reserved"},
	[ENUM_VALUE_SAME_NAME] = {"ENUM_VALUE_SAME_NAME", "an enum value keeps its name"},
	[FIELD_NO_DELETE_UNLESS_NAME_RESERVED] =
		{"FIELD_NO_DELETE_UNLESS_NAME_RESERVED",
		 "a field is not deleted unless its name is reserved"},
	[FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED] =
		{"FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED",
		 "a field is not deleted unless its number is reserved"},
	[FIELD_SAME_DEFAULT] = {"FIELD_SAME_DEFAULT", "a field keeps its default (proto2)"},
	[FIELD_SAME_JSON_NAME] = {"FIELD_SAME_JSON_NAME", "a field keeps its name in JSON"},
	[FIELD_SAME_NAME] = {"FIELD_SAME_NAME", "a field keeps its name"},
	[FIELD_SAME_ONEOF] = {"FIELD_SAME_ONEOF", "a field moves in no oneof and out of none"},
	[FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY] =
		{"FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY",
		 "a field stays one value, required, repeated or a map"},
	[FIELD_WIRE_JSON_COMPATIBLE_TYPE] =
		{"FIELD_WIRE_JSON_COMPATIBLE_TYPE",
		 "a field's new type reads what the old one wrote, as bytes and as JSON"},
	[FILE_SAME_PACKAGE] = {"FILE_SAME_PACKAGE", "a file keeps its package"},
	[MESSAGE_SAME_JSON_FORMAT] = {"MESSAGE_SAME_JSON_FORMAT",
				      "a message keeps its canonical JSON: it does not go from "
				      "proto3 to proto2"},
	[MESSAGE_SAME_REQUIRED_FIELDS] = {"MESSAGE_SAME_REQUIRED_FIELDS",
					  "a message gains and loses no required field (proto2)"},
	[RESERVED_ENUM_NO_DELETE] = {"RESERVED_ENUM_NO_DELETE",
				     "what an enum has reserved stays reserved"},
	[RESERVED_MESSAGE_NO_DELETE] = {"RESERVED_MESSAGE_NO_DELETE",
					"what a message has reserved stays reserved"},
	[RPC_SAME_CLIENT_STREAMING] = {"RPC_SAME_CLIENT_STREAMING",
				       "a method's requests stay one or a stream"},
	[RPC_SAME_IDEMPOTENCY_LEVEL] = {"RPC_SAME_IDEMPOTENCY_LEVEL",
					"a method keeps its idempotency_level"},
	[RPC_SAME_REQUEST_TYPE] = {"RPC_SAME_REQUEST_TYPE", "a method keeps its request's type"},
	[RPC_SAME_RESPONSE_TYPE] = {"RPC_SAME_RESPONSE_TYPE", "a method keeps its reply's type"},
	[RPC_SAME_SERVER_STREAMING] = {"RPC_SAME_SERVER_STREAMING",
				       "a method's replies stay one or a stream"},
	[LYCEUM_ITEMS_NOT_NARROWED] = {"LYCEUM_ITEMS_NOT_NARROWED",
				       "min_items does not grow, max_items does not shrink"},
	[LYCEUM_KEY_SAME] = {"LYCEUM_KEY_SAME",
			     "a message keeps its keys: they are its records' subjects"},
	[LYCEUM_LABEL_SAME] = {"LYCEUM_LABEL_SAME",
			       "a message keeps its Label field, and what has a key gains none"},
	[LYCEUM_LENGTH_NOT_NARROWED] = {"LYCEUM_LENGTH_NOT_NARROWED",
					"min_len does not grow, max_len does not shrink"},
	[LYCEUM_PATTERN_SAME] = {"LYCEUM_PATTERN_SAME", "a pattern is neither added nor changed"},
	[LYCEUM_PERSONAL_NOT_REMOVED] = {"LYCEUM_PERSONAL_NOT_REMOVED",
					 "a personal field stays personal"},
	[LYCEUM_RANGE_NOT_NARROWED] = {"LYCEUM_RANGE_NOT_NARROWED",
				       "int_range and float_range do not shrink"},
	[LYCEUM_REQUIRED_NOT_ADDED] = {"LYCEUM_REQUIRED_NOT_ADDED",
				       "no field becomes required by a rule, and no such field is "
				       "added"},
	[LYCEUM_RPC_APPENDS_NOT_ADDED] = {"LYCEUM_RPC_APPENDS_NOT_ADDED",
					  "a method that appended nothing does not start to"},
};
