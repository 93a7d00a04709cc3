#include "base/channel.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <memory>
#include <thread>
#include <vector>

using namespace rota::base;

TEST_CASE("items come out in the order in which they went in", "[channel]") {
  Channel<int> channel(3);
  CHECK(channel.send(1));
  CHECK(channel.send(2));
  CHECK(channel.send(3));
  CHECK(channel.receive() == 1);
  CHECK(channel.receive() == 2);
  CHECK(channel.receive() == 3);
}

TEST_CASE("a closed channel takes nothing and gives what it holds", "[channel]") {
  Channel<int> channel(3);
  channel.send(1);
  channel.send(2);
  channel.close();
  CHECK_FALSE(channel.send(3));
  CHECK(channel.receive() == 1);
  CHECK(channel.receive() == 2);
  CHECK(channel.receive() == std::nullopt);
  CHECK(channel.receive() == std::nullopt);
}

TEST_CASE("an abandoned channel throws away what it holds", "[channel]") {
  Channel<std::shared_ptr<int>> channel(3);
  const auto item = std::make_shared<int>(1);
  channel.send(item);
  channel.abandon();
  CHECK(item.use_count() == 1);
  CHECK_FALSE(channel.send(item));
  CHECK(item.use_count() == 1);
  CHECK(channel.receive() == std::nullopt);
}

TEST_CASE("items that can only be moved pass through", "[channel]") {
  Channel<std::unique_ptr<int>> channel(1);
  CHECK(channel.send(std::make_unique<int>(7)));
  const auto item = channel.receive();
  REQUIRE(item.has_value());
  CHECK(**item == 7);
}

TEST_CASE("a sender never gets ahead by more than the capacity", "[channel]") {
  constexpr int kCapacity = 2;
  constexpr int kItems = 2000;
  Channel<int> channel(kCapacity);
  std::atomic<int> sent{0};
  std::jthread sender([&] {
    for (int i = 0; i < kItems; ++i) {
      channel.send(i);
      ++sent;
    }
    channel.close();
  });
  while (sent < kCapacity) std::this_thread::yield();
  int received = 0;
  int most_ahead = 0;
  bool in_order = true;
  while (true) {
    most_ahead = std::max(most_ahead, sent - received);
    const auto item = channel.receive();
    if (!item) break;
    in_order = in_order && *item == received;
    ++received;
  }
  CHECK(received == kItems);
  CHECK(in_order);
  CHECK(most_ahead <= kCapacity);
}

TEST_CASE("a sender that waits for room is woken when the channel ends", "[channel]") {
  const bool abandon = GENERATE(false, true);
  Channel<int> channel(1);
  channel.send(1);
  std::atomic<bool> accepted{true};
  {
    std::jthread sender([&] { accepted = channel.send(2); });
    abandon ? channel.abandon() : channel.close();
  }
  CHECK_FALSE(accepted);
}

TEST_CASE("all receivers that wait are woken when the channel ends", "[channel]") {
  const bool abandon = GENERATE(false, true);
  Channel<int> channel(1);
  std::atomic<int> ended{0};
  {
    std::vector<std::jthread> receivers;
    for (int i = 0; i < 4; ++i) {
      receivers.emplace_back([&] {
        if (!channel.receive()) ++ended;
      });
    }
    abandon ? channel.abandon() : channel.close();
  }
  CHECK(ended == 4);
}

TEST_CASE("many senders and receivers lose nothing and double nothing", "[channel]") {
  constexpr int kEach = 500;
  Channel<int> channel(4);
  std::atomic<int> left{4};
  std::vector<std::vector<int>> got(3);
  {
    std::vector<std::jthread> threads;
    for (int s = 0; s < 4; ++s) {
      threads.emplace_back([&, s] {
        for (int i = 0; i < kEach; ++i) channel.send(s * kEach + i);
        if (--left == 0) channel.close();
      });
    }
    for (auto& mine : got) {
      threads.emplace_back([&] {
        while (const auto item = channel.receive()) mine.push_back(*item);
      });
    }
  }
  std::vector<int> times(4 * kEach);
  for (const auto& mine : got) {
    for (const int item : mine) ++times[static_cast<std::size_t>(item)];
  }
  CHECK(times == std::vector<int>(4 * kEach, 1));
}
