-- Reading ONNX: every way to store elements, what is refused, and the limits.

local nn = require "nnlua"
local core = require "nnlua.core"
local B = require "spec.support.onnx_bytes"
local files = require "spec.support.files"
local scratch = require "spec.support.scratch"

local folder

local function save(text) return files.write(folder .. "/m.onnx", text) end

-- x (n, 2) -> Gemm -> y; weights {{1, 2, 3}, {4, 5, 6}}, bias {10, 20, 30}.
local function mlp(change)
  local g = {
    nodes = {B.node("Gemm", {"x", "w", "b"}, {"y"})},
    tensors = {B.tensor("w", {2, 3}, 1, B.raw("<f", {1, 2, 3, 4, 5, 6})),
      B.tensor("b", {3}, 1, B.raw("<f", {10, 20, 30}))},
    inputs = {B.value("x", {"n", 2})},
    outputs = {B.value("y", {"n", 3})},
  }
  if change then change(g) end
  return B.model(g)
end

local function predict(text)
  local model = nn.saving.load_model(save(text))
  return model:predict{nn.tensor{{1, 1}, {2, -1}}, verbose = 0}:totable()
end

local wanted = {{15, 27, 39}, {8, 19, 30}} -- by hand

local function refused(pattern, text, load)
  local ok, message = pcall(load or nn.saving.load_model, save(text))
  assert.is_false(ok)
  assert.matches(pattern, message)
end

local function open(text, limits) return core.onnx.open(save(text), limits) end

describe("reading ONNX", function()
  setup(function() folder = scratch.make() end)
  teardown(function() scratch.remove(folder) end)

  it("reads raw elements", function() assert.same(wanted, predict(mlp())) end)

  it("reads the other fields of elements", function()
    local list = {1, 2, 3, 4, 5, 6}
    local single = {}
    for i, v in ipairs(list) do single[i] = B.float(4, v) end
    local half = {0x3C00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600} -- 1 to 6 as float16
    local brain = {0x3F80, 0x4000, 0x4040, 0x4080, 0x40A0, 0x40C0} -- and as bfloat16
    local ways = {
      packed = {1, B.packed(4, list, "<f")},
      ["one by one"] = {1, table.concat(single)},
      ["in two pieces"] = {1, B.packed(4, {1, 2}, "<f") .. B.packed(4, {3, 4, 5, 6}, "<f")},
      float64 = {11, B.packed(10, list, "<d")}, ["float64, raw"] = {11, B.raw("<d", list)},
      int32 = {6, B.packed(5, list)}, ["int32, raw"] = {6, B.raw("<i4", list)},
      int64 = {7, B.packed(7, list)}, ["int64, raw"] = {7, B.raw("<i8", list)},
      uint8 = {2, B.packed(5, list)}, ["uint8, raw"] = {2, B.raw("<I1", list)},
      int8 = {3, B.packed(5, list)}, uint16 = {4, B.packed(5, list)},
      int16 = {5, B.raw("<i2", list)}, uint32 = {12, B.packed(11, list)},
      uint64 = {13, B.packed(11, list)},
      float16 = {10, B.packed(5, half)}, ["float16, raw"] = {10, B.raw("<I2", half)},
      bfloat16 = {16, B.packed(5, brain)}, ["bfloat16, raw"] = {16, B.raw("<I2", brain)},
    }
    for name, way in pairs(ways) do
      local text = mlp(function(g) g.tensors[1] = B.tensor("w", {2, 3}, way[1], way[2]) end)
      assert.same(wanted, predict(text), name)
    end
  end)

  it("reads negative numbers and refuses those that do not fit", function()
    local function read(kind, field, list)
      return open(mlp(function(g)
        g.tensors[3] = B.tensor("t", {#list}, kind, B.packed(field, list))
      end)):read(3):totable()
    end
    assert.same({-2147483648, 2147483647}, read(6, 5, {-2147483648, 2147483647}))
    assert.same({-128, 127}, read(3, 5, {-128, 127}))
    assert.same({0, 255}, read(2, 5, {0, 255}))
    assert.same({-5}, read(7, 7, {-5}))
    for _, bad in ipairs {{6, 5, 1 << 31}, {6, 5, -(1 << 31) - 1}, {3, 5, 128}, {3, 5, -129},
        {2, 5, 256}, {2, 5, -1}, {9, 5, 2}, {10, 5, 65536}, {12, 11, 1 << 32}, {7, 7, 1 << 31}} do
      local ok, message = pcall(read, bad[1], bad[2], {bad[3]})
      assert.is_false(ok)
      assert.matches("m.onnx: ONNX: tensor 't': ", message)
    end
  end)

  it("reads constants, attributes and the shapes of values", function()
    local constant = B.bytes(1, "value") .. B.int(20, 4)
      .. B.bytes(5, B.tensor("", {2, 3}, 1, B.raw("<f", {1, 2, 3, 4, 5, 6})))
    assert.same(wanted, predict(mlp(function(g)
      table.insert(g.nodes, 1, B.node("Constant", {}, {"w"}, {constant}))
      table.remove(g.tensors, 1)
    end)))
    local graph = open(mlp(function(g)
      g.nodes[1] = B.node("Gemm", {"x", "w", ""}, {"y", "z"}, {
        B.bytes(1, "alpha") .. B.float(2, 0.5) .. B.int(20, 1),
        B.bytes(1, "beta") .. B.int(20, 1), -- a zero that is not written
        B.bytes(1, "transB") .. B.int(3, -1) .. B.int(20, 2),
        B.bytes(1, "mode") .. B.bytes(4, "same\0") .. B.int(20, 3),
        B.bytes(1, "axes") .. B.packed(8, {1, -2}) .. B.int(8, 7) .. B.int(20, 7)})
    end)):graph()
    local node = graph.nodes[1]
    assert.same({alpha = 0.5, beta = 0.0, transB = -1, mode = "same\0", axes = {1, -2, 7}},
      node.attributes)
    assert.same({"Gemm", "the Gemm", ""}, {node.op, node.name, node.domain})
    assert.same({{"x", "w", ""}, {"y", "z"}}, {node.inputs, node.outputs})
    assert.same({{name = "x", shape = {false, 2}}}, graph.inputs)
    assert.same({name = "w", shape = {2, 3}, dtype = "float32", at = 1}, graph.tensors[1])
  end)

  it("opens no other file", function()
    local location = B.bytes(13, B.bytes(1, "location") .. B.bytes(2, "../../secret"))
    for _, body in ipairs {location .. B.int(14, 1), location, B.int(14, 1),
        location .. B.int(14, 1) .. B.raw("<f", {1, 2, 3, 4, 5, 6})} do
      local tensor = B.tensor("w", {2, 3}, 1, body)
      refused("tensor 'w': its data is in another file, which is not opened",
        mlp(function(g) g.tensors[1] = tensor end))
      refused("its data is in another file", mlp(function(g)
        table.insert(g.nodes, B.node("Constant", {}, {"c"}, {B.bytes(1, "value")
          .. B.bytes(5, tensor)}))
      end))
    end
  end)

  it("refuses what it does not read", function()
    local body = B.bytes(1, "body") .. B.bytes(6, B.bytes(2, "inner"))
    refused("graphs inside nodes", mlp(function(g) g.nodes[2] = B.node("If", {}, {}, {body}) end))
    refused("sparse tensors", mlp(function(g) g.more = B.bytes(15, "") end))
    refused("element type 8 is not", mlp(function(g) g.tensors[3] = B.tensor("t", {0}, 8, "") end))
    refused("element type 99 is not",
      mlp(function(g) g.tensors[3] = B.tensor("t", {0}, 99, "") end))
    refused("operator 'Conv' cannot", mlp(function(g)
      g.nodes[1] = B.node("Conv", {"x", "w"}, {"y"})
    end))
    refused("operator 'Gemm' cannot", mlp(function(g) -- of somebody else
      g.nodes[1] = B.node("Gemm", {"x", "w", "b"}, {"y"}) .. B.bytes(7, "com.example")
    end))
    refused("as another than its first input", mlp(function(g)
      g.nodes[1] = B.node("Gemm", {"w", "w", "x"}, {"y"})
    end))
    refused("has the axis 0", mlp(function(g)
      g.nodes[1] = B.node("Gemm", {"x", "w", "b"}, {"h"})
      g.nodes[2] = B.node("Softmax", {"h"}, {"y"}, {B.bytes(1, "axis") .. B.int(20, 2)})
    end))
    refused("no chain", mlp(function(g) g.outputs[2] = B.value("z", {1}) end))
    refused("two tensors are named 'w'", mlp(function(g)
      g.tensors[2] = B.tensor("w", {3}, 1, B.raw("<f", {1, 2, 3}))
    end))
  end)

  it("holds sizes against what is there", function()
    local function tensor(shape, body)
      return mlp(function(g) g.tensors[1] = B.tensor("w", shape, 1, body) end)
    end
    local six = B.raw("<f", {1, 2, 3, 4, 5, 6})
    refused("tensor 'w' has 24 bytes, expected 16", tensor({2, 2}, six))
    refused("tensor 'w' has 24 bytes, expected", tensor({1 << 20, 1 << 20}, six))
    refused("tensor 'w': a negative dimension", tensor({-2, -3}, six))
    refused("tensor 'w': ", tensor({1 << 62, 4}, six))
    refused("more than 8 dimensions", tensor({1, 1, 1, 1, 1, 1, 1, 2, 3}, six))
    refused("has 1 numbers, expected 6", tensor({2, 3}, B.packed(4, {1}, "<f")))
    refused("in several places", tensor({2, 3}, six .. six))
    refused("in several places", tensor({2, 3}, six .. B.float(4, 1)))
    refused("in several places", tensor({2, 3}, B.packed(5, {1, 2, 3, 4, 5, 6})))
    refused("cut off", tensor({2, 3}, B.bytes(4, ("x"):rep(23))))
  end)

  it("refuses broken messages", function()
    refused("the file holds no graph", "")
    refused("byte 0: a field is longer than what holds it", "\x3A\x7F")
    refused("byte 0: a field is longer than what holds it",
      "\x3A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01")
    refused("byte 0: a number is not closed", "\x80")
    refused("more than 64 bits", "\x08" .. ("\xFF"):rep(10) .. "\x01")
    refused("more than 64 bits", "\x08" .. ("\xFF"):rep(9) .. "\x02")
    refused("no proper number", "\x00\x00")
    refused("of an unknown kind", "\x0B")
    refused("field 7 stands twice", mlp() .. B.bytes(7, ""))
    refused("field 7 is of another kind", B.int(7, 1))
    refused("not UTF%-8", mlp(function(g) g.inputs[1] = B.value("a\xFF", {1}) end))
    refused("not UTF%-8", mlp(function(g) g.inputs[1] = B.value("a\0b", {1}) end))
    refused("type and value disagree", mlp(function(g)
      g.nodes[1] = B.node("Gemm", {"x", "w"}, {"y"},
        {B.bytes(1, "alpha") .. B.int(3, 1) .. B.int(20, 1)})
    end))
  end)

  it("holds the caller's limits", function()
    local text = mlp()
    assert.truthy(open(text, {bytes = 400, tensors = 20, depth = 7}))
    local function cap(limits)
      local ok, message = pcall(open, text, limits)
      assert.is_false(ok)
      assert.matches("limit", message)
    end
    cap{bytes = #text - 1}
    cap{tensors = 7} -- a node, 4 names, 2 tensors, 2 values
    cap{depth = 5}
    local wide = mlp(function(g) -- one byte in the file, four in memory
      g.tensors[3] = B.tensor("t", {1000}, 6, B.bytes(5, ("\0"):rep(1000)))
    end)
    assert.truthy(open(wide, {bytes = 5000}))
    assert.is_false((pcall(open, wide, {bytes = 3000})))
  end)

  it("opens every beginning of a file or gives an error", function()
    local text = mlp()
    for n = 0, #text - 1 do
      local ok, message = pcall(open, text:sub(1, n))
      assert.is_true(not ok and message:find "m.onnx: " ~= nil, n)
    end
  end)
end)
