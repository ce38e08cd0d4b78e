local rows = require("nnlua.utils.pad_sequences").rows

describe("pad_sequences", function()
  local S = {{1, 2, 3}, {4}}

  it("cuts and fills in front, or at the end", function()
    assert.same({{1, 2, 3}, {0, 0, 4}}, (rows(S)))
    assert.same({{2, 3}, {0, 4}}, (rows {S, maxlen = 2}))
    assert.same({{2, 3}, {0, 4}}, (rows(S, 2)))
    assert.same({{1, 2}, {4, 0}}, (rows {S, 2, padding = "post", truncating = "post"}))
    assert.same({{1, 2, 3}, {-1.5, -1.5, 4}}, (rows {S, dtype = "float32", value = -1.5}))
  end)

  it("takes empty sequences and sequences of vectors", function()
    assert.same({{0, 0}, {5, 6}}, (rows {{{}, {5, 6}}, padding = "post"}))
    assert.same({{{0, 0}, {1, 2}}, {{3, 4}, {5, 6}}},
      (rows {{{{1, 2}}, {{3, 4}, {5, 6}}}, padding = "pre"}))
  end)

  it("says what is wrong", function()
    assert.error_matches(function() rows {S, padding = "left"} end,
      "pad_sequences: padding is 'left', expected 'pre' or 'post'")
    assert.error_matches(function() rows {{1, 2}, maxlen = 2} end,
      "pad_sequences: sequence 1 is 1, expected a list")
  end)
end)
