#include "chain/uploader.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "chain/encryption.h"

namespace rota::chain {

Uploader::Uploader(store::Store& store, std::string chain, std::string run, const RunKey* key,
                   ResumeLog& log, RecordRoom& room)
    : store_(store),
      chain_(std::move(chain)),
      run_(std::move(run)),
      key_(key),
      log_(log),
      room_(room),
      threads_(std::max(1U, store.connections())) {}

void Uploader::add_rows(const std::map<std::uint32_t, ObjectRow>& rows) {
  for (const auto& [number, row] : rows) {
    room_.take(row);
    rows_.push_back(row);
    stored_ += row.size;
  }
}

void Uploader::start(base::Pipeline& pipeline) {
  pipeline.on_failure([this] {
    queue_.abandon();
    free_.abandon();
  });
  for (unsigned i = 0; i < threads_; ++i) {
    free_.send(0);
    pipeline.add([this] { work(); });
  }
}

void Uploader::put(ObjectType type, std::uint32_t number, base::Bytes bytes) {
  if (free_.receive()) queue_.send({type, number, std::move(bytes)});
}

void Uploader::work() {
  while (auto object = queue_.receive()) {
    const std::string name =
        object_name(chain_, run_, static_cast<char>(object->type), object->number);
    if (key_ != nullptr) {
      object->bytes = encrypt_object(object->type, name, *key_, object->bytes);
    }
    ObjectRow row;
    row.type = object->type;
    row.number = object->number;
    row.size = object->bytes.size();
    row.sha256 = base::sha256(object->bytes);
    row.store_hash = store::object_hash(store_.hash_kind(), object->bytes);
    room_.take(row);
    if (object->type == ObjectType::volume) log_.volume(row);
    store_.put(name, object->bytes);
    stored_ += row.size;
    {
      const std::lock_guard lock(mutex_);
      rows_.push_back(std::move(row));
    }
    object.reset();
    free_.send(0);
  }
}

std::vector<ObjectRow> Uploader::take_rows() {
  const auto place = [](const ObjectRow& row) {
    const int rank = row.type == ObjectType::volume ? 0 : row.type == ObjectType::index ? 1 : 2;
    return std::tuple(rank, row.number);
  };
  std::ranges::sort(rows_, {}, place);
  return std::move(rows_);
}

}  // namespace rota::chain
