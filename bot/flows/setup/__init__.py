"""The steps of `stanch setup`, from the GitHub App to the first card."""
