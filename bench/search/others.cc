/* The others: Xapian and SQLite FTS5 used directly, and bare postings in memory, which show what
 * walking the lists takes alone. */
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <unordered_map>

#include <sqlite3.h>
#include <xapian.h>

#include "search/people.h"

namespace bench
{

namespace
{

/* ---- Xapian ---- */

class xapian : public base
{
      public:
	explicit xapian(const std::string &folder)
	    : folder(folder + "/xapian"),
	      writer(this->folder, Xapian::DB_CREATE_OR_OVERWRITE | Xapian::DB_NO_SYNC)
	{
		generator.set_stemmer(stem);
		generator.set_stemming_strategy(Xapian::TermGenerator::STEM_ALL);
	}

	~xapian() override
	{
		writer.close();
		std::filesystem::remove_all(folder);
	}

	void put(const person &one, size_t) override
	{
		Xapian::Document document;
		generator.set_document(document);
		generator.index_text_without_positions(one.text());
		writer.add_document(document);
	}

	void finish() override
	{
		writer.commit();
		writer.close();
	}

	double bytes() override
	{
		double sum = 0;
		for (const auto &file : std::filesystem::directory_iterator(folder))
			sum += static_cast<double>(file.file_size());
		return sum;
	}

	/* Opened by whoever asks: files are not shared with a parent. */
	bool ask(const question &words, bool) override
	{
		if (!reader)
			reader = std::make_unique<Xapian::Database>(folder);
		Xapian::Enquire enquire(*reader);
		enquire.set_query(
			Xapian::Query(Xapian::Query::OP_OR, stem(words[0]), stem(words[1])));
		return !enquire.get_mset(0, 10).empty();
	}

      private:
	std::string folder;
	Xapian::Stem stem{"en"};
	Xapian::WritableDatabase writer;
	Xapian::TermGenerator generator;
	std::unique_ptr<Xapian::Database> reader;
};

/* ---- SQLite ---- */

class sqlite : public base
{
      public:
	sqlite() : before(sqlite3_memory_used())
	{
		if (sqlite3_open(":memory:", &database) != SQLITE_OK)
			throw std::runtime_error("SQLite does not open a database in memory");
		run("CREATE VIRTUAL TABLE t USING fts5(x, content='', detail=none, "
		    "tokenize='porter unicode61')");
		run("BEGIN");
		insert = prepare("INSERT INTO t(rowid, x) VALUES (?, ?)");
		find = prepare("SELECT rowid FROM t WHERE t MATCH ? ORDER BY rank LIMIT 10");
	}

	~sqlite() override
	{
		sqlite3_finalize(insert);
		sqlite3_finalize(find);
		sqlite3_close(database);
	}

	void put(const person &one, size_t number) override
	{
		std::string text = one.text();
		sqlite3_bind_int64(insert, 1, static_cast<sqlite3_int64>(number));
		sqlite3_bind_text(insert, 2, text.c_str(), -1, SQLITE_TRANSIENT);
		if (sqlite3_step(insert) != SQLITE_DONE)
			throw std::runtime_error(sqlite3_errmsg(database));
		sqlite3_reset(insert);
	}

	void finish() override
	{
		run("COMMIT");
		run("INSERT INTO t(t) VALUES ('optimize')");
	}

	double bytes() override
	{
		return static_cast<double>(sqlite3_memory_used() - before);
	}

	bool ask(const question &words, bool) override
	{
		std::string text = words[0] + " OR " + words[1];
		int found = 0;
		sqlite3_bind_text(find, 1, text.c_str(), -1, SQLITE_TRANSIENT);
		while (sqlite3_step(find) == SQLITE_ROW)
			found++;
		sqlite3_reset(find);
		return found > 0;
	}

      private:
	void run(const char *statement)
	{
		if (sqlite3_exec(database, statement, nullptr, nullptr, nullptr) != SQLITE_OK)
			throw std::runtime_error(sqlite3_errmsg(database));
	}

	sqlite3_stmt *prepare(const char *text)
	{
		sqlite3_stmt *statement = nullptr;
		if (sqlite3_prepare_v2(database, text, -1, &statement, nullptr) != SQLITE_OK)
			throw std::runtime_error(sqlite3_errmsg(database));
		return statement;
	}

	sqlite3_int64 before;
	sqlite3 *database = nullptr;
	sqlite3_stmt *insert = nullptr;
	sqlite3_stmt *find = nullptr;
};

/* ---- bare postings ---- */

class postings : public base
{
      public:
	void put(const person &one, size_t number) override
	{
		std::string text = one.text();
		for (char *word = std::strtok(text.data(), " "); word;
		     word = std::strtok(nullptr, " ")) {
			auto &list = index[word];
			if (!list.empty() && list.back().doc == number)
				list.back().weight += 1;
			else
				list.push_back({static_cast<uint32_t>(number), 1});
		}
		count = number + 1;
	}

	double bytes() override
	{
		double sum = 0;
		for (const auto &entry : index)
			sum += static_cast<double>(entry.second.capacity() * sizeof(posting) +
						   entry.first.size() + 64);
		return sum;
	}

	bool ask(const question &words, bool) override
	{
		sums.assign(count, 0.0f);
		for (const std::string &word : words)
			add(index[word]);
		best.clear();
		for (uint32_t doc = 0; doc < sums.size(); doc++) {
			if (best.size() == 10 && sums[doc] <= best.front().first)
				continue;
			best.push_back({sums[doc], doc});
			std::push_heap(best.begin(), best.end(), std::greater<>());
			if (best.size() > 10) {
				std::pop_heap(best.begin(), best.end(), std::greater<>());
				best.pop_back();
			}
		}
		return !best.empty() && best.front().first > 0;
	}

      private:
	struct posting {
		uint32_t doc;
		float weight;
	};

	void add(const std::vector<posting> &list)
	{
		float idf = std::log(1 + static_cast<float>(count) /
						 (1 + static_cast<float>(list.size())));
		for (const posting &one : list)
			sums[one.doc] += idf * one.weight / (one.weight + 1.2f);
	}

	size_t count = 0;
	std::unordered_map<std::string, std::vector<posting>> index;
	std::vector<float> sums;
	std::vector<std::pair<float, uint32_t>> best;
};

} // namespace

std::unique_ptr<base> make_xapian(const std::string &folder)
{
	return std::make_unique<xapian>(folder);
}

std::unique_ptr<base> make_sqlite()
{
	return std::make_unique<sqlite>();
}

std::unique_ptr<base> make_postings()
{
	return std::make_unique<postings>();
}

} // namespace bench
