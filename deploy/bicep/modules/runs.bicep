// The resource group of the jobs of runs, which the daemon creates and deletes. It is a separate group, because a principal
// that may change a job can run any program with the identity of the job, and the job that upgrades the schema has the
// identity that owns the database.
param writerId string

var roles = loadJsonContent('../roles.json')

resource makesJobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(resourceGroup().id, writerId, roles.containerAppsJobsContributor)
  properties: {
    principalId: writerId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.containerAppsJobsContributor)
  }
}

output group string = resourceGroup().name
