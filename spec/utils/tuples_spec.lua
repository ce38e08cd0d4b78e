local nn = require "nnlua"
local support = require "spec.data.support"

describe("pack_x_y_sample_weight", function()
  it("packs and unpacks", function()
    local x, y, w = nn.utils.unpack_x_y_sample_weight(nn.utils.pack_x_y_sample_weight(1, 2))
    assert.same({1, 2}, {x, y, w})
    local t = nn.ones{2}
    assert.equal(t, (nn.utils.unpack_x_y_sample_weight(t)))
    support.raises("the batch has a part 4", nn.utils.unpack_x_y_sample_weight, {1, 2, 3, 4})
  end)
end)
