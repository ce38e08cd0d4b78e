-- Zip archives by hand: what reads, and every trick that is refused.

local core = require "nnlua.core"
local B = require "spec.support.zip_bytes"
local files = require "spec.support.files"
local scratch = require "spec.support.scratch"

local folder

local function save(text) return files.write(folder .. "/z.zip", text) end

local function open(members, options, limits)
  return core.zip.open(save(B.archive(members, options)), limits)
end

local function two(change)
  local list = {{name = "a", data = "first"}, {name = "b", data = "second, longer"}}
  if change then change(list[1], list[2]) end
  return list
end

local function refused(pattern, members, options, limits)
  local ok, message = pcall(open, members, options, limits)
  assert.is_false(ok)
  assert.matches("z.zip: " .. pattern, message)
end

-- Opens, but the member gives an error, and the other one is still there.
local function refused_member(pattern, members, limits)
  local zip = open(members, nil, limits)
  local ok, message = pcall(zip.read, zip, "a")
  assert.is_false(ok)
  assert.matches('z.zip: member "a": ' .. pattern, message)
  if members[2] then assert.equal(members[2].data, zip:read "b") end
end

describe("a zip archive", function()
  setup(function() folder = scratch.make() end)
  teardown(function() scratch.remove(folder) end)

  it("reads stored and deflated members, comments, zip64 and gaps", function()
    local packed = B.deflated(10000)
    local text = ("a"):rep(10000)
    local sum = tonumber(core.crc32{text}, 16)
    local function members()
      return two(function(a, b)
        a.data, a.size, a.method, a.crc = packed, 10000, 8, sum
        b.local_extra, b.after = "\1\0\4\0abcd", "PK\7\8 and a descriptor" -- as streamed
      end)
    end
    for _, options in ipairs {{}, {comment = "PK\5\6 or not"}, {large = true},
        {large = true, comment = "c"}} do
      local zip = open(members(), options)
      assert.equal(text, zip:read "a")
      assert.equal("second, longer", zip:read "b")
      assert.same({{"a", 10000}, {"b", 14}}, zip:names())
      assert.is_nil(zip:read "c")
    end
    assert.same({}, open({}):names())
  end)

  it("may hold a name once", function()
    refused('member "a": stands twice', two(function(_, b) b.name = "a" end))
  end)

  it("has members that do not overlap", function()
    local pattern = 'member "[ab]": overlaps others or lies outside'
    refused(pattern, two(function(_, b) b.hidden, b.at = true, 0 end)) -- the same bytes twice
    refused(pattern, two(function(_, b) b.at = 10 end))
    refused(pattern, two(function(_, b) b.at = 1 << 30 end))
    refused(pattern, two(function(a) a.packed = 100 end))
    local list = two()
    local text = B.archive(list):gsub("\1\0\0\0a", "\1\0\9\0a", 1) -- an extra field of 9 bytes
    local zip = core.zip.open(save(text))
    assert.matches("overlaps", select(2, pcall(zip.read, zip, "a")))
  end)

  it("tells the same in a member's header and in the directory", function()
    refused_member("is named otherwise", two(function(a) a.local_name = "c" end))
    refused_member("its header disagrees", two(function(a) a.local_name = "../../a" end))
    refused_member("its header disagrees", two(function(a) a.local_method = 8 end))
  end)

  it("has a directory right before its end", function()
    refused("its directory is not where it should be", two(), {at = 0})
    refused("its directory is not where it should be", two(), {at = 1000})
    refused("its directory", two(), {count = 1})
    refused("its directory", two(), {count = 3})
    refused("its directory is too short", two(), {count = 60000})
    refused("its zip64 record is not where", two(), {large = true, large_at = 5})
    for _, text in ipairs {"", "PK", B.archive(two()) .. "x", B.archive(two()):sub(1, -2)} do
      local ok, message = pcall(core.zip.open, save(text))
      assert.is_false(ok)
      assert.matches("is no zip archive", message)
    end
  end)

  it("is not encrypted and not compressed in other ways", function()
    refused_member("is encrypted", two(function(a) a.flags = 1 end))
    refused_member("is encrypted", two(function(a) a.flags = 0x2000 end))
    refused_member("is compressed with another method", two(function(a) a.method = 12 end))
    refused("a member has no proper name", two(function(a) a.name = "" end))
    refused("a member has no proper name", two(function(a) a.name = "a\0b" end))
  end)

  it("becomes no more than it says", function()
    refused_member("is damaged %(wrong checksum%)", two(function(a) a.crc = 1 end))
    refused_member("its declared sizes disagree", two(function(a) a.size = 3 end))
    local packed = B.deflated(10000)
    local function deflated(size)
      return two(function(a) a.data, a.size, a.method = packed, size, 8 end)
    end
    refused_member("is truncated or damaged", deflated(9999))
    refused_member("is truncated or damaged", deflated(10001))
    refused_member("claims more bytes than it can inflate to", deflated(1 << 30))
    refused_member("is larger than the limit", deflated(10000), {bytes = 9999})
  end)

  it("is no bomb", function()
    local size = 20 << 20
    local packed = B.deflated(size)
    assert.is_true(size / #packed > 100)
    refused_member("is compressed more than 100%-fold", two(function(a)
      a.data, a.size, a.method = packed, size, 8
    end))
  end)

  it("holds the limit of members", function()
    assert.equal(2, #open(two(), nil, {tensors = 2}):names())
    refused("2 members, above the limit of 1", two(), nil, {tensors = 1})
  end)
end)
